/** What somebody typed, shown to them again. */
import { plainText } from "../builds/plain-text.ts";

const LENGTH = 60;

/** `"dokcer"`: on one line, without control sequences, and cut where it is long. */
export function quoted(text: string): string {
  const characters = [...plainText(text.replaceAll(/\s+/g, " "))];
  const shown = characters.length <= LENGTH ? characters : [...characters.slice(0, LENGTH - 1), "…"];
  return `"${shown.join("")}"`;
}
