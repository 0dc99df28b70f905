/** Cutting a text to IRC's line length, which counts bytes. */

const INDENT = "  ";

/**
 * Splits between words so that no piece has more than `limit` bytes of UTF-8; pieces after the first are indented by two spaces
 * and begin with neither blanks nor the dot that joins facts. A word that fills more than a line is cut between graphemes;
 * a link only when it does not fit into a line of its own, where nothing could save it.
 */
export function splitLine(text: string, limit: number): string[] {
  if (Buffer.byteLength(text) <= limit) return [text];
  const pieces: string[] = [];
  let line = "";
  let bytes = 0;
  const flush = (): void => {
    const piece = line.trimEnd();
    if (piece !== "") pieces.push(piece);
    line = INDENT;
    bytes = INDENT.length;
  };
  const add = (part: string, size: number): void => {
    line += part;
    bytes += size;
  };

  for (const token of text.match(/\s+|\S+/g) ?? []) {
    const size = Buffer.byteLength(token);
    const fresh = pieces.length > 0 && line === INDENT;
    if (fresh && (token.trim() === "" || token === "·")) continue;
    if (bytes + size <= limit) {
      add(token, size);
      continue;
    }
    if (line.trim() !== "") flush();
    if (token.trim() === "" || token === "·") continue;
    if (bytes + size <= limit) {
      add(token, size);
      continue;
    }
    for (const part of graphemes(token, limit - INDENT.length)) {
      const partSize = Buffer.byteLength(part);
      if (bytes + partSize > limit) flush();
      add(part, partSize);
    }
  }
  flush();
  return pieces;
}

/** A word's graphemes; one that is itself too long (marks heaped on a letter) falls into code points. */
function* graphemes(word: string, limit: number): Generator<string> {
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(word)) {
    if (Buffer.byteLength(segment) <= limit) yield segment;
    else yield* segment;
  }
}
