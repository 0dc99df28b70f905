/** What came of a verb, a line for each host and container, in columns. */
import { plainText } from "../src/builds/plain-text.ts";

/** One cell for each column; further lines stand below the last one. */
export interface Row {
  readonly cells: readonly string[];
  readonly more?: readonly string[];
  readonly failed?: boolean;
}

const GAP = "  ";

export function renderTable(headers: readonly string[], rows: readonly Row[]): string {
  const lines = rows.map(({ cells, more = [] }) => ({ cells: cells.map(clean), more: more.map(clean) }));
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...lines.map(({ cells }) => (cells[column] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd();
  const indent = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  return [
    line(headers),
    ...lines.flatMap(({ cells, more }) => [line(cells), ...more.map((text) => " ".repeat(indent) + text)]),
  ]
    .map((text) => `${text}\n`)
    .join("");
}

function clean(text: string): string {
  return plainText(text.replaceAll("\n", " "));
}
