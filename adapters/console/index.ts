/** The terminal as a chat: a prompt with history and completion on a screen, a command a line on a pipe. */
import { appendFile, readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";
import type { ChatState } from "../../src/chat/chat.ts";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import type { Terminal, TerminalOptions } from "../../src/command-line/adapters.ts";
import { NetworkName } from "../../src/names.ts";
import { harmless, type Look, renderLine, renderReply } from "./render.ts";

export const CONSOLE = NetworkName.parse("console");
export const TERMINAL: Room = { network: CONSOLE, kind: "direct", name: "terminal" };
const PROMPT = "> ";
const HISTORY_LENGTH = 500;

export interface ConsoleOptions extends TerminalOptions {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly colours: boolean;
}

export async function openConsole(options: ConsoleOptions): Promise<Terminal> {
  const { output } = options;
  const screen = options.input.isTTY === true && output.isTTY === true;
  const look: Look = { colours: options.colours, screen };
  const listeners = new Set<(message: ChatMessage) => void>();
  const progress = new Map<string, string>();
  const steps = new Map<string, string>();
  const state: ChatState = { kind: "connected", since: new Date(), rooms: [TERMINAL.name] };
  let rl: Interface | undefined;
  let drawn = 0;
  let counter = 0;
  let end: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  /** A terminal that was never told its size, such as a serial console, says 0. */
  const columns = (): number => output.columns || 80;
  /** Takes prompt and progress off the screen. */
  const wipe = (): void => {
    cursorTo(output, 0);
    moveCursor(output, 0, -(drawn + (rl?.getCursorPos().rows ?? 0)));
    clearScreenDown(output);
    drawn = 0;
  };
  /** Does its work in the place of prompt and progress, and draws them again below. */
  const above = (write: () => void): void => {
    if (!screen) {
      write();
      return;
    }
    wipe();
    write();
    draw();
  };
  const draw = (): void => {
    const width = columns() - 1;
    for (const line of progress.values()) output.write(`${clip(line, width)}\n`);
    drawn = progress.size;
    rl?.prompt(true);
  };
  const print = (text: string): void => above(() => void output.write(`${text}\n`));

  const received = (line: string): void => {
    if (screen && drawn > 0) {
      // Enter has left the progress of a moment ago above the line that was typed.
      const rows = Math.ceil((PROMPT.length + line.length + 1) / columns());
      moveCursor(output, 0, -(rows + drawn));
      clearScreenDown(output);
      output.write(`${PROMPT}${line}\n`);
    }
    drawn = 0;
    if (line.trim() !== "") {
      if (screen && options.historyFile !== undefined) {
        // A history that cannot be kept is no reason to bother anybody.
        appendFile(options.historyFile, `${line}\n`).catch(() => undefined);
      }
      counter += 1;
      const message: ChatMessage = {
        id: `${process.pid}-${Date.now()}-${counter}`,
        room: TERMINAL,
        speaker: { network: CONSOLE, displayName: userInfo().username, account: undefined, trusted: true },
        text: line,
        botName: "docker-ci",
      };
      for (const listener of listeners) listener(message);
    }
    if (screen) draw();
  };

  const history = screen ? await readHistory(options.historyFile) : [];

  return {
    network: CONSOLE,
    state,
    ended,
    print,
    type(line) {
      if (screen) print(`${PROMPT}${line}`);
      received(line);
    },
    listen() {
      rl = createInterface({
        input: options.input,
        output: screen ? output : undefined,
        terminal: screen,
        prompt: PROMPT,
        history,
        historySize: HISTORY_LENGTH,
        completer: (line: string) => {
          const word = line.slice(line.lastIndexOf(" ") + 1);
          return [options.complete(line).filter((candidate) => candidate.startsWith(word)), word];
        },
      });
      rl.on("line", received);
      rl.on("close", () => {
        // A prompt after this would have it read on, and nothing would end the process.
        above(() => {
          rl = undefined;
        });
        end();
      });
      rl.on("SIGINT", () => options.interrupted());
      if (screen) draw();
    },
    async send({ reply }) {
      const lines = renderReply(reply, look);
      await new Promise<void>((resolve) => {
        above(() => void output.write(`${lines.join("\n")}\n`, () => resolve()));
      });
    },
    progress(_room, key, reply) {
      const line = reply?.lines[0];
      if (screen) {
        above(() => {
          if (line === undefined) progress.delete(key);
          else progress.set(key, renderLine(line, look).join(""));
        });
        return;
      }
      // On a pipe a line stays; it is written when something new is at work, not every second.
      const what = line?.facts[0];
      if (what === undefined) steps.delete(key);
      else if (steps.get(key) !== what) {
        steps.set(key, what);
        output.write(`${harmless(`● ${what}`)}\n`);
      }
    },
    onMessage(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onState: () => () => undefined,
    async [Symbol.asyncDispose]() {
      rl?.close();
      if (screen) wipe();
    },
  };
}

async function readHistory(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const text = await readFile(file, "utf8").catch(() => "" /* the first time there is none */);
  return text.split("\n").filter(Boolean).slice(-HISTORY_LENGTH).reverse();
}

/** Cuts a line with colours in it to what fits into one row, so that it can be redrawn in place. */
function clip(line: string, width: number): string {
  let shown = 0;
  let out = "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an SGR sequence counts for nothing
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith("\u001b")) {
      out += part;
      continue;
    }
    const room = Math.max(0, width - shown);
    const characters = [...part];
    out += characters.slice(0, room).join("");
    shown += characters.length;
  }
  return out;
}
