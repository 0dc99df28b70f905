/** A reply as a Slack message: Block Kit, within Slack's limits whatever the reply holds. */
import { type Action, type Line, lineText, type Reply, SIGNS, type Tone } from "../../src/chat/reply.ts";
import { ASKS, askingValue } from "./questions.ts";
import { code, fitted, link, plain } from "./text.ts";

/** What is the same in chat.postMessage, chat.update and chat.postEphemeral. */
export interface SlackMessage {
  /** For notifications, and clients that show no blocks. */
  readonly text: string;
  readonly blocks: readonly object[];
  readonly attachments: readonly object[];
}

export interface Shown {
  readonly lines: readonly Line[];
  readonly verbatim?: readonly string[] | undefined;
  readonly quote?: string | undefined;
  readonly actions?: readonly Action[] | undefined;
  /** Markup that addresses somebody, already harmless: `<@U1>`. */
  readonly address?: string | undefined;
}

const COLOURS: Readonly<Record<Tone, string | undefined>> = {
  passed: "#2eb67d",
  failed: "#e01e5a",
  errored: "#ecb22e",
  cancelled: "#9e9e9e",
  running: "#1d9bd1",
  queued: "#c9d6df",
  info: undefined,
  refused: undefined,
};

/** Block Kit reference: a section's text; a button's text, value and address; elements of one actions block. */
const SECTION = 3000;
const BUTTON = { label: 75, value: 2000, url: 3000 } as const;
const BUTTONS = 25;
/** Slack takes 50 blocks; more than this nobody reads. */
const SECTIONS = 12;
/** The end of a log that fills a screen or two. */
const VERBATIM = 9000;
const QUOTE = 300;
const FENCE = "```";

/**
 * The first line's first fact, bold, stands above; all else below it, beside a bar in the tone's colour. Mentions ring only
 * above: Slack ignores those in attachments.
 */
export function message({ lines, verbatim = [], quote, actions = [], address }: Shown): SlackMessage {
  const [first, ...others] = lines;
  const tone = first?.tone ?? "info";
  const colour = COLOURS[tone];
  const head = first === undefined ? "" : headline(first, colour === undefined);
  const above = [address ?? "", head].filter((part) => part !== "").join(" ");
  const rest = first === undefined || colour === undefined ? [] : [detail(first)];
  const said = quote === undefined ? [] : [`> ${fitted(quote.replace(/\s+/g, " "), QUOTE, plain)}`];
  const below = [
    ...sections([...rest, ...said, ...others.map((line) => body(line))].filter((text) => text !== "")),
    ...blockOfCode(verbatim),
    ...buttons(actions),
  ];
  const blocks = above === "" ? [] : [section(above)];
  const fallback = fitted([...lines.map(lineText), ...verbatim].join("\n"), SECTION - 60, oneByOne) || "docker-ci";
  const text = address === undefined ? fallback : `${address} ${fallback}`;
  if (below.length === 0) return { text, blocks, attachments: [] };
  if (colour === undefined) return { text, blocks: [...blocks, ...below], attachments: [] };
  return { text, blocks, attachments: [{ color: colour, fallback, blocks: below }] };
}

function oneByOne(text: string): string {
  return text.split("\n").map(plain).join("\n");
}

/** `✘ *hello #1 failed in 3s*`; a line without a tone stands as a whole, in plain weight. */
function headline(line: Line, whole: boolean): string {
  if (whole) return body(line);
  const bold = fitted(line.facts[0] ?? "", SECTION - 200, plain);
  return bold === "" ? SIGNS[line.tone] : `${SIGNS[line.tone]} *${bold}*`;
}

/** What a headline leaves out. */
function detail({ facts, link: url }: Line): string {
  return joined(facts.slice(1), url);
}

function body({ tone, facts, link: url }: Line): string {
  const sign = SIGNS[tone];
  const text = joined(facts, url);
  return sign === "" ? text : `${sign} ${text}`;
}

function joined(facts: readonly string[], url: string | undefined): string {
  const end = url === undefined || url.length > 1000 ? "" : link(url);
  const text = fitted(facts.filter((fact) => fact !== "").join(" · "), SECTION - 200 - end.length, plain);
  return [text, end].filter((part) => part !== "").join(" · ");
}

/** Lines share sections as far as they fit. */
function sections(lines: readonly string[]): object[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= SECTION) texts[texts.length - 1] = `${last}\n${line}`;
    else texts.push(line);
  }
  return texts.slice(0, SECTIONS).map(section);
}

function section(text: string): object {
  // `verbatim`: Slack makes no links of what looks like an address, a channel or a name.
  return { type: "section", text: { type: "mrkdwn", text, verbatim: true } };
}

/** The end of it, where it is too much: what failed stands at the end. */
function blockOfCode(lines: readonly string[]): object[] {
  const blocks: object[] = [];
  const max = SECTION - 2 * FENCE.length - 2;
  let left = VERBATIM;
  let part: string[] = [];
  const flush = (): void => {
    const text = part.reverse().join("\n");
    if (text.trim() !== "") blocks.unshift(section(`${FENCE}\n${text}\n${FENCE}`));
    part = [];
  };
  let size = 0;
  for (const line of [...lines].reverse()) {
    const text = fitted(line, max, code);
    if (left < text.length + 1) break;
    if (size + text.length + 1 > max) {
      flush();
      size = 0;
    }
    part.push(text);
    size += text.length + 1;
    left -= text.length + 1;
  }
  flush();
  return blocks;
}

/** A command that does not fit is left out: half of it would be another command. */
function buttons(actions: readonly Action[]): object[] {
  const elements = actions.flatMap((action, index): object[] => {
    const text = { type: "plain_text", text: fitted(action.label, BUTTON.label, plain) || "…", emoji: false };
    if ("link" in action) {
      const url = { type: "button", action_id: `open-${index}`, text, url: action.link };
      return action.link.length > BUTTON.url ? [] : [url];
    }
    const style = action.style === "danger" ? { style: "danger" } : {};
    const asking = askingValue(action);
    const value = asking ?? action.command;
    const id = asking === undefined ? `say-${index}` : `${ASKS}${index}`;
    const button = { type: "button", action_id: id, text, value, ...style };
    return value.length > BUTTON.value || action.command === "" ? [] : [button];
  });
  return elements.length === 0 ? [] : [{ type: "actions", elements: elements.slice(0, BUTTONS) }];
}

/** Whether a reply shows something that is not over. */
export function isUnderWay({ lines }: Reply): boolean {
  const tone = lines[0]?.tone;
  return tone === "queued" || tone === "running";
}

/** Whether a reply shows how something ended. */
export function isFinal({ lines }: Reply): boolean {
  const tone = lines[0]?.tone;
  return tone === "passed" || tone === "failed" || tone === "errored" || tone === "cancelled";
}
