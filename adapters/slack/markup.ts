/** What Slack made of what a person typed, turned back: `docker.io` arrives as `<http://docker.io|docker.io>`. */

export interface Names {
  /** A person's or the bot's name by user id. */
  user(id: string): string | undefined;
}

const MARKUP = /<([^<>]*)>|&(amp|lt|gt);/g;
const LEADING = /^[\s\p{Cf}]+/u;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">" };

/** In one pass, so that `&amp;lt;` stays what was typed. Never throws; time is linear in the length. */
export function undoMarkup(text: string, names: Names): string {
  return text.replace(MARKUP, (_whole, inside: string | undefined, entity: string | undefined) =>
    inside === undefined ? (ENTITIES[entity ?? ""] ?? "") : undoReference(inside, names),
  );
}

/** https://docs.slack.dev/messaging/formatting-message-text, "Retrieving messages". */
function undoReference(inside: string, names: Names): string {
  const bar = inside.indexOf("|");
  const target = bar === -1 ? inside : inside.slice(0, bar);
  const label = bar === -1 ? "" : unescaped(inside.slice(bar + 1));
  switch (inside.charAt(0)) {
    case "@":
      return `@${names.user(target.slice(1)) ?? (label || target.slice(1))}`;
    case "#":
      return `#${(label || target.slice(1)).replace(/^#/, "")}`;
    case "!":
      // <!here>, <!subteam^S1|@team>, <!date^1^{date}|today>
      return label || `@${target.slice(1).split("^")[0]}`;
    default:
      // Where Slack made the link, its label is what was typed.
      return label || unescaped(target);
  }
}

function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt);/g, (_whole, entity: string) => ENTITIES[entity] ?? "");
}

/**
 * Whether a text as Slack sends it can be a command in a channel: those begin with a sign or with the bot's name. It may say yes
 * to what is none; while the bot does not know its own name, to everything.
 */
export function mayBeCommand(text: string, botName: string): boolean {
  const said = text.replace(LEADING, "");
  return /^[^\p{L}\p{N}]/u.test(said) || said.slice(0, botName.length).toLowerCase() === botName.toLowerCase();
}

/** The ids of everybody a text mentions. */
export function mentionedUsers(text: string): string[] {
  return [...text.matchAll(/<@([A-Z0-9]+)[|>]/g)].map(([, id = ""]) => id);
}
