/** Text to Slack: whatever comes from outside is shown as it is, and does nothing. */

/** A terminal's sequences, whole: colours and cursor (CSI), titles and links (OSC). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const ANSI = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;
const BREAKS = /[\r\n\t\v\f\u0085\u2028\u2029]+/g;
const CONTROLS = /\p{Cc}/gu;
const CONTROLS_BUT_BREAKS = /[^\P{Cc}\n\t]/gu;
/** Embeddings, overrides and isolates: with them a text shows in another order than it has. */
const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;
/** Zero width: what stands on both sides of a sign, so that Slack sees no pair in it. Slack knows no escape for these. */
const GAP = "\u200b";

/** The three characters by which Slack knows mentions and links (docs.slack.dev, "Escaping text"). */
export function entities(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** One line of foreign text for mrkdwn: no mention, no link, no formatting, no quote, no emoji by name. */
export function plain(text: string): string {
  const line = text.replace(ANSI, "").replace(BREAKS, " ").replace(CONTROLS, "").replace(BIDI, "");
  return entities(line)
    .replace(/[*~`]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, `${GAP}$&${GAP}`)
    .replace(/:(?=[a-z][\w+-]*:)/g, `:${GAP}`)
    .replace(/^(?=&gt;)/, GAP);
}

/** Foreign text for a code block: as it is, except for what would end the block. */
export function code(text: string): string {
  const kept = text.replace(ANSI, "").replace(CONTROLS_BUT_BREAKS, "").replace(BIDI, "");
  return entities(kept).replace(/`(?=`)/g, `\`${GAP}`);
}

/** Cuts a text so that, once written by `write`, it has at most `max` characters, with `…` where it was cut. */
export function fitted(text: string, max: number, write: (text: string) => string): string {
  let kept = text.length > max ? cut(text, max) : text;
  for (let written = write(kept); written.length > max; written = write(kept)) {
    const share = Math.floor((kept.length * max) / written.length);
    kept = cut(kept, Math.min(share, kept.length - 1));
  }
  return write(kept);
}

/** At most so many UTF-16 units, never half a character. */
function cut(text: string, length: number): string {
  const short = text.slice(0, Math.max(0, length - 1)).replace(/[\ud800-\udbff]$/, "");
  return `${short}…`;
}

/** An address that opens, and cannot end the link it stands in. */
export function link(url: string): string {
  const safe = url.replace(/[\s<>|\p{Cc}]/gu, (sign) => encodeURIComponent(sign));
  return `<${safe.replaceAll("&", "&amp;")}>`;
}
