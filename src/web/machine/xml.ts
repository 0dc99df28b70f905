/** Text that comes from outside, on its way into XML. `html` of Hono escapes what stands in it; this takes out what cannot stand there. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g;

export const XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Without the characters that XML has no way to write (XML 1.0, 2.2), and without half of a surrogate pair. */
export function xmlText(text: string): string {
  // A lone surrogate becomes U+FFFD in UTF-8; `toWellFormed` is not in Node 20's types.
  return Buffer.from(text, "utf8").toString("utf8").replace(FORBIDDEN, "");
}
