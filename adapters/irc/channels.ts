/** The configured channels: joined on every connection, again after a kick, and tried for ever where we are kept out. */
import type { Client, IrcMessage } from "irc-framework";
import type { Logger } from "pino";
import type { IrcChannel, IrcTiming } from "./options.ts";

/** Well under 512 bytes for any names, and few enough for every server's limit on targets but the strictest. */
const JOINS_PER_LINE = 4;

export class Channels {
  readonly #client: Client;
  readonly #wanted: readonly IrcChannel[];
  readonly #timing: Pick<IrcTiming, "rejoinMs" | "joinRetryMs">;
  readonly #log: Logger;
  readonly #changed: () => void;
  readonly #joined = new Set<string>();
  /** Why we are not in a channel, in the server's words. */
  readonly #kept = new Map<string, string>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(
    client: Client,
    wanted: readonly IrcChannel[],
    timing: Pick<IrcTiming, "rejoinMs" | "joinRetryMs">,
    log: Logger,
    changed: () => void,
  ) {
    this.#client = client;
    this.#wanted = wanted;
    this.#timing = timing;
    this.#log = log;
    this.#changed = changed;
    const isMe = (nick: string): boolean => client.caseCompare(nick, client.user.nick);
    client.on("join", ({ nick, channel }) => isMe(nick) && this.#entered(channel));
    client.on("part", ({ nick, channel }) => isMe(nick) && this.#left(channel, "somebody made us part"));
    client.on("kick", ({ nick, kicked, channel, message }) => {
      if (isMe(kicked)) this.#left(channel, `kicked by ${nick} (${message})`);
    });
    client.on("invite", ({ invited, channel }) => {
      const name = this.canonical(channel);
      if (isMe(invited) && name !== undefined && !this.#joined.has(name)) this.#join([name]);
    });
    client.connection.on("message", (message) => this.#refused(message));
  }

  /** Joins all of them; called when the server has let us in. */
  enter(): void {
    // Channels with keys first: JOIN matches names and keys by their place.
    const byKey = [...this.#wanted].sort((a, b) => Number(a.key === undefined) - Number(b.key === undefined));
    for (let at = 0; at < byKey.length; at += JOINS_PER_LINE) {
      this.#join(byKey.slice(at, at + JOINS_PER_LINE).map(({ name }) => name));
    }
  }

  /** The connection is gone, and with it our places. */
  reset(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#joined.clear();
    this.#kept.clear();
  }

  get joined(): readonly string[] {
    return this.#wanted.map(({ name }) => name).filter((name) => this.#joined.has(name));
  }

  /** The configured spelling of a channel's name, whatever its case; undefined for a channel that is not ours. */
  canonical(channel: string): string | undefined {
    return this.#wanted.find(({ name }) => this.#client.caseCompare(name, channel))?.name;
  }

  /** Why nothing can be said in a channel right now; undefined when it can. */
  whyNot(channel: string): string | undefined {
    const name = this.canonical(channel);
    if (name === undefined) return `${channel} is not one of the configured channels`;
    if (this.#joined.has(name)) return undefined;
    return `not in ${name}: ${this.#kept.get(name) ?? "the server has not let us in yet"}`;
  }

  #join(names: readonly string[]): void {
    const keys = names.flatMap((name) => this.#wanted.find((each) => each.name === name)?.key ?? []);
    this.#client.raw(`JOIN ${names.join(",")} ${keys.join(",")}`.trimEnd());
    for (const name of names) this.#retryIn(name, this.#timing.joinRetryMs);
  }

  #entered(channel: string): void {
    const name = this.canonical(channel);
    // Forwarded to an overflow channel, or dragged into one: nobody has said who may do what there.
    if (name === undefined) {
      this.#client.raw(`PART ${channel}`);
      return;
    }
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    this.#kept.delete(name);
    this.#joined.add(name);
    this.#log.info({ channel: name }, "joined");
    this.#changed();
  }

  #left(channel: string, reason: string): void {
    const name = this.canonical(channel);
    if (name === undefined) return;
    this.#joined.delete(name);
    this.#kept.set(name, reason);
    this.#log.warn({ channel: name, reason }, "put out of a channel");
    this.#retryIn(name, this.#timing.rejoinMs);
    this.#changed();
  }

  #refused({ command, params }: IrcMessage): void {
    if (!/^[45]\d\d$/.test(command)) return;
    const name = this.canonical(params[1] ?? "");
    if (name === undefined || this.#joined.has(name)) return;
    const reason = params.at(-1) ?? command;
    if (this.#kept.get(name) !== reason) this.#log.warn({ channel: name, reason }, "cannot join a channel");
    this.#kept.set(name, reason);
  }

  #retryIn(name: string, ms: number): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => this.#join([name]), ms),
    );
  }
}
