/**
 * Proof that the server took a line. Where it echoes what we say, the echo; elsewhere a PING behind the lines, which it answers
 * only after it has dealt with them. A numeric that names the line's target in between says that it did not.
 */
import type { Client, IrcMessage } from "irc-framework";
import { RuntimeError } from "../../src/errors.ts";
import type { OutLine } from "./out-line.ts";

interface InFlight {
  readonly line: OutLine;
  /** Its number, which is its label too; a PONG with a number proves all up to it. */
  readonly number: number;
  readonly echoed: boolean;
  readonly writtenAt: number;
}

export class Proof {
  readonly #client: Client;
  readonly #timeoutMs: number;
  readonly #token = `docker-ci-${process.pid.toString(36)}${Math.random().toString(36).slice(2, 8)}-`;
  #flying: InFlight[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Client, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    client.connection.on("message", (message) => this.#heard(message));
  }

  /** Writes the lines at once, and with them what will prove them. */
  write(lines: readonly OutLine[]): void {
    const { cap } = this.#client.network;
    const echoed = cap.isEnabled("echo-message");
    const labelled = echoed && cap.isEnabled("labeled-response");
    for (const line of lines) {
      this.#count += 1;
      this.#flying.push({ line, number: this.#count, echoed, writtenAt: performance.now() });
      const label = labelled ? `@label=${this.#token}${this.#count} ` : "";
      this.#client.raw(`${label}PRIVMSG ${line.target} :${line.text}`);
    }
    if (!echoed) this.#client.raw(`PING ${this.#token}${this.#count}`);
    this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs);
  }

  /** Takes out everything that was written and has no proof yet. */
  clear(): OutLine[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#flying.splice(0).map(({ line }) => line);
  }

  #heard(message: IrcMessage): void {
    if (this.#flying.length === 0) return;
    const { command, params, tags } = message;
    if (command === "PONG") {
      const number = this.#number(params.at(-1));
      if (number === undefined) return;
      // An empty line, which every server skips, takes TCP's acknowledgement with it. Without, the acknowledgement waits 40 ms for
      // something to travel on, and a server that leaves Nagle's algorithm on (ngircd) keeps the next message back till then.
      this.#client.raw("");
      for (const flying of this.#flying.filter((each) => !each.echoed && each.number <= number)) this.#proven(flying);
    } else if (command === "PRIVMSG" && this.#client.caseCompare(message.nick, this.#client.user.nick)) {
      const [target = "", text = ""] = params;
      this.#proven(this.#labelled(tags.label) ?? this.#to(target, text) ?? this.#to(target));
    } else if (command === "ACK") {
      this.#proven(this.#labelled(tags.label));
    } else if (/^(?:[45]\d\d|716)$/.test(command)) {
      this.#refused(message);
    }
  }

  /** 417 (line too long) names no target: then it is the oldest. */
  #refused({ command, params, tags }: IrcMessage): void {
    const target = params[1] ?? "";
    const flying = this.#labelled(tags.label) ?? this.#to(target) ?? (command === "417" ? this.#flying[0] : undefined);
    if (flying === undefined) return;
    const reason = params.at(-1) ?? command;
    // Nobody of that name is there, or the line can never pass: the same again would end the same.
    const retryable = command !== "401" && command !== "417";
    this.#land(flying);
    flying.line.message.failed(new RuntimeError(`${flying.line.target} cannot be told: ${reason}`, { retryable }));
  }

  #proven(flying: InFlight | undefined): void {
    if (flying === undefined) return;
    this.#land(flying);
    flying.line.message.proven();
  }

  #land(flying: InFlight): void {
    this.#flying = this.#flying.filter((each) => each !== flying);
    if (this.#flying.length > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Lines without proof for too long: swallowed by a filter, or by a server that is not what it seems. */
  #expire(): void {
    this.#timer = undefined;
    const oldest = performance.now() - this.#timeoutMs;
    for (const flying of this.#flying.filter((each) => each.writtenAt <= oldest)) {
      this.#land(flying);
      flying.line.message.failed(new RuntimeError(`${flying.line.target}: the server has not confirmed a line`));
    }
    const [next] = this.#flying;
    if (next !== undefined) this.#timer = setTimeout(() => this.#expire(), Math.ceil(next.writtenAt - oldest));
  }

  #number(token: string | undefined): number | undefined {
    return token?.startsWith(this.#token) === true ? Number(token.slice(this.#token.length)) : undefined;
  }

  #labelled(label: string | undefined): InFlight | undefined {
    const number = this.#number(label);
    return number === undefined ? undefined : this.#flying.find((each) => each.number === number);
  }

  #to(target: string, text?: string): InFlight | undefined {
    return this.#flying.find(
      ({ line }) => this.#client.caseCompare(line.target, target) && (text === undefined || line.text === text),
    );
  }
}
