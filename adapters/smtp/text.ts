/** Text from outside in a mail: no control character, no line break where one line is meant, no markup. */

/** Control characters (ECMA-48), and the marks that turn the direction of text and so can make one name look like another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** One line: what broke it is a space. */
export function oneLine(text: string): string {
  return text
    .replace(/[\r\n\t\u2028\u2029]+/g, " ")
    .replace(CONTROLS, "")
    .replaceAll("\n", "")
    .trim();
}

/** A line of a log as it is, its indentation too. */
export function asPrinted(text: string): string {
  return text.replaceAll("\t", "    ").replace(CONTROLS, "").replace(/\n/g, " ").trimEnd();
}

/** For HTML, in text and in attributes with quotes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** At most that many characters, the last of which is `…` where something is missing. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** A mail program follows a link with one click, so only to a page. */
export function isWebLink(link: string): boolean {
  return /^https?:\/\//i.test(link);
}
