/** Replies for a terminal: a coloured sign, the facts, and the link on a line of its own where somebody could click it. */
import type { Line, Reply, Tone } from "../../src/chat/reply.ts";
import { SIGNS } from "../../src/chat/reply.ts";

/** SGR colours (ECMA-48, 8.3.117). */
const COLOURS: Readonly<Record<Tone, string>> = {
  passed: "32",
  failed: "31",
  errored: "33",
  cancelled: "90",
  running: "34",
  queued: "36",
  info: "",
  refused: "",
};

export interface Look {
  readonly colours: boolean;
  /** A person's screen, or lines for a program to read. */
  readonly screen: boolean;
}

export function renderReply({ lines, verbatim = [], quote }: Reply, look: Look): string[] {
  const indent = look.screen ? "  " : "";
  return [
    ...lines.flatMap((line) => renderLine(line, look)),
    ...(quote === undefined || !look.screen ? [] : [`    > ${harmless(quote)}`]),
    ...verbatim.map((text) => `${indent}  ${harmless(text)}`),
  ];
}

export function renderLine({ tone, facts, link }: Line, { colours, screen }: Look): string[] {
  const sign = SIGNS[tone];
  const shown = colours && sign !== "" ? `\u001b[${COLOURS[tone]}m${sign}\u001b[0m` : sign;
  const body = `${shown === "" ? "" : `${shown} `}${facts.map(harmless).join(" · ")}`;
  // A line may be nothing but its link.
  const parts = [body, ...(link === undefined ? [] : [link])].filter((part) => part !== "");
  return screen ? parts.map((part) => `${part === link ? "    " : "  "}${part}`) : [parts.join(" · ")];
}

/** No control character reaches the terminal from a commit title or a log. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");
}
