/** A line of a log as text: what a program wrote for a terminal, without what only a terminal understands. */

/** Colours and other control sequences (ECMA-48, 5.4), also those with a string such as titles and links (8.3.89). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const SEQUENCES = /\u001b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Of a progress bar that redraws its line (`\r`) the last state stays; a tab is four spaces. */
export function plainText(line: string): string {
  const last = line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1);
  return last.replace(SEQUENCES, "").replaceAll("\t", "    ").replace(CONTROLS, "");
}
