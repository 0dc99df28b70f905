/** Text from and to IRC: what may stand in a line. */

/** mIRC's colours with their digits: `\x03` by number, `\x04` by hex code. */
const COLOURS = /\cC(?:\d{1,2}(?:,\d{1,2})?)?|\cD(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?/g;
const ESC = "\x1b";
/** A terminal's sequences, whole: colours and cursor (CSI), titles and links (OSC). */
const ANSI = new RegExp(`${ESC}\\[[0-?]*[ -/]*[@-~]|${ESC}\\][^\x07${ESC}]*(?:\x07|${ESC}\\\\)`, "g");
/** Whatever else a client may obey: C0, DEL, C1. */
const CONTROLS = /\p{Cc}/gu;
/** Line breaks of every kind, and tabs, which clients show each in their own way. */
const BREAKS = /[\r\n\t\v\f\u0085\u2028\u2029]+/g;
/** Embeddings, overrides and isolates: with them a text shows in another order than it has. */
const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;

/** Makes foreign text harmless for a line: no control codes, no formatting, one space for line breaks and tabs. */
export function clean(text: string): string {
  return text.replace(ANSI, "").replace(COLOURS, "").replace(BREAKS, " ").replace(CONTROLS, "").replace(BIDI, "");
}

/** A nick that its owner's client does not ring for: a zero-width joiner stands after the first character. */
export function unpinged(nick: string): string {
  const [first = "", ...rest] = nick;
  return `${first}\u200d${rest.join("")}`;
}
