/** The lines that docker-ci writes into a log itself: where a step begins. Read by the server and by the page's script. */

/** A section of the log: the line that begins it, and the step as people read it. */
export interface Section {
  readonly line: number;
  readonly title: string;
  /** Steps ran side by side: the section names where the step begins, and its lines lie between those of others. */
  readonly isMixed: boolean;
}

/** `── step 2 of 3: tests NODE=20 · 17:34:02 · in image`, where steps run side by side behind `tests NODE=20 │ `. */
const BEGINNING = /^(.{0,200} │ )?── step \d+ of \d+: (.{1,200}?) · /;

export function sectionAt(line: number, text: string): Section | undefined {
  if (!text.includes("── step ")) return undefined;
  const found = BEGINNING.exec(text);
  if (found === null) return undefined;
  return { line, title: found[2] ?? "", isMixed: found[1] !== undefined };
}
