/** Which lines of a chat are commands, and which one. Pure: knows neither the commands nor who speaks. */
import { INVISIBLE, splitWords, type Word } from "./words.ts";

export type { Word } from "./words.ts";

/** A line that asks for something. */
export interface ParsedCommand {
  readonly kind: "command";
  /** In lower case, without the prefix; nobody has checked that there is such a command. */
  readonly name: string;
  readonly words: readonly Word[];
  /** Everything behind the name, as typed; `restFrom` takes free text out of it. */
  readonly rest: string;
}

export type ParsedLine =
  | { readonly kind: "none" }
  | ParsedCommand
  /** Meant as a command, and cannot be read; the message is a whole sentence. */
  | { readonly kind: "malformed"; readonly name: string; readonly message: string };

export interface LineContext {
  readonly prefix: string;
  /** As people address the bot in this room. */
  readonly botName: string;
  /** Said to nobody but the bot. */
  readonly direct: boolean;
  /** `/me …`: told, and not said. */
  readonly action?: boolean;
}

const NONE: ParsedLine = { kind: "none" };
const GREETING: ParsedLine = { kind: "command", name: "hello", words: [], rest: "" };

/** What somebody shows rather than says: quoted lines, `<nick> …`, code. */
const SHOWN = /^(?:>|<|`)/;

const INVISIBLES = new RegExp(`[${INVISIBLE}]`, "g");
const LEADING = new RegExp(`^[\\s${INVISIBLE}]+`);

/**
 * A command begins with the prefix, addresses the bot (`docker-ci: build x`, `@docker-ci build x`), or is said to it in
 * private. Of several lines only the first counts. What somebody does to the bot greets it. Never throws, whatever the text.
 */
export function parseLine(text: string, { prefix, botName, direct, action = false }: LineContext): ParsedLine {
  if (action) return isDoneTo(botName, text) ? GREETING : NONE;
  const line = text.replace(LEADING, "");
  if (SHOWN.test(line)) return NONE;
  const prefixed = afterPrefix(line, prefix);
  if (prefixed !== undefined) return readCommand(prefixed);
  const addressed = afterName(line, botName, prefix);
  if (addressed === undefined) return direct ? readSaid(line, prefix) : NONE;
  // Somebody who only calls wants to know what can be said.
  return addressed === "" ? { kind: "command", name: "help", words: [], rest: "" } : readSaid(addressed, prefix);
}

/** The text from one word on to the end, as typed: the reason of `!cancel 42 don't need it`. A single word loses its quotes. */
export function restFrom({ words, rest }: ParsedCommand, index: number): string {
  const word = words[index];
  if (word === undefined) return "";
  if (index === words.length - 1) return word.text;
  return (rest.slice(word.start).split(/[\r\n]/)[0] ?? "").trim();
}

/** What follows the prefix, when a letter does: `!`, `!?`, `!!!` and `! build` are only talk. */
function afterPrefix(line: string, prefix: string): string | undefined {
  const rest = line.slice(prefix.length);
  return line.startsWith(prefix) && /^\p{L}/u.test(rest) ? rest : undefined;
}

/**
 * What is said to the bot by name: behind `:` or `,`, or behind a space after `@name`. A space or the prefix must follow, as
 * `docker-ci:latest` and `docker-ci:8000` are an image and an address.
 */
function afterName(line: string, botName: string, prefix: string): string | undefined {
  const hasSign = line.startsWith("@");
  const named = hasSign ? line.slice(1) : line;
  if (botName === "" || named.slice(0, botName.length).toLowerCase() !== botName.toLowerCase()) return undefined;
  const rest = named.slice(botName.length);
  const said = rest.replace(/^[:,]/, "");
  if (said === rest && !(hasSign && /^(?:\s|$)/.test(rest))) return undefined;
  return /^(?:\s|$)/.test(said) || said.startsWith(prefix) ? said.replace(LEADING, "") : undefined;
}

/** `pokes docker-ci`, and not `wonders why docker-ci is down`: only what ends in its name, as Buildbot's bot had it (O-76). */
function isDoneTo(botName: string, action: string): boolean {
  const words = action
    .replaceAll(INVISIBLES, "")
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const name = botName.toLowerCase();
  const last = words.at(-1)?.toLowerCase().replace(/^@/, "") ?? "";
  return name !== "" && words.length > 1 && last.startsWith(name) && /^[.?!…:;,)]*$/.test(last.slice(name.length));
}

/** Text that is meant for the bot anyhow; the prefix may stand before it out of habit. */
function readSaid(text: string, prefix: string): ParsedLine {
  return readCommand(afterPrefix(text, prefix) ?? text, /^\p{L}/u);
}

function readCommand(text: string, allowed = /^\p{L}[\p{L}\p{N}_-]*$/u): ParsedLine {
  const first = /^\S+/.exec(text)?.[0] ?? "";
  // "status?" asks for status.
  const name = first
    .replaceAll(INVISIBLES, "")
    .replace(/[?!.,:;]+$/, "")
    .toLowerCase();
  if (!allowed.test(name)) return NONE;
  const rest = text.slice(first.length);
  const split = splitWords(rest);
  if (split.kind === "words") return { kind: "command", name, words: split.words, rest };
  const quote = rest.charAt(split.from);
  const shown = rest.slice(split.from, split.from + 20).split(/[\r\n]/)[0];
  return {
    kind: "malformed",
    name,
    message: `The quote that opens at ${shown} is not closed; write \\${quote} for a plain one.`,
  };
}
