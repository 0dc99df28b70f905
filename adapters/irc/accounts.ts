/**
 * The services account of whoever spoke, never guessed from a nick. With `account-tag` every message says it. Without, it is
 * known from JOINs and account changes of members, else asked for (WHOX, or WHOIS) and kept while we would see a change.
 */
import type { Client, IrcMessage, PrivmsgEvent } from "irc-framework";
import { Members } from "./members.ts";

/** Where no account change is announced, an answer holds this long; "not logged in" less, since people then log in. */
const KEEP_MS = { loggedIn: 60_000, loggedOut: 5_000 } as const;

type Account = string | undefined;

interface Query {
  readonly nick: string;
  /** `user@host` of the message; whoever has the nick by now may be somebody else. */
  readonly mask: string;
  readonly answer: Promise<Account>;
  readonly settle: (account: Account) => void;
  sameUser: boolean;
  account: Account;
}

export class Accounts {
  readonly #client: Client;
  readonly #timeoutMs: number;
  readonly #members: Members;
  readonly #known = new Map<string, { account: Account; mask: string; until: number }>();
  readonly #queries = new Map<string, Query>();

  constructor(client: Client, timeoutMs: number) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    this.#members = new Members(client, (nick) => this.#forget(nick));
    client.on("join", (event) => {
      if (event.account !== undefined) this.#keep(event, event.account || undefined);
    });
    client.on("account", (event) => this.#keep(event, event.account || undefined));
    client.connection.on("message", (message) => this.#heard(message));
  }

  /** Not a promise wherever the answer is known; undefined for somebody who is not logged in, or of whom we cannot know. */
  of(event: PrivmsgEvent): Account | Promise<Account> {
    const { cap } = this.#client.network;
    if (cap.isEnabled("account-tag")) return event.account;
    const key = this.#client.caseLower(event.nick);
    const mask = `${event.ident}@${event.hostname}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.mask === mask && known.until > Date.now()) return known.account;
    const whox = this.#client.network.supports("WHOX") !== undefined;
    // A server that has none of these knows no accounts (ngircd): do not make its people wait.
    if (!whox && !cap.isEnabled("account-notify") && !cap.available.has("sasl")) return undefined;
    const asked = this.#queries.get(key);
    if (asked?.mask === mask) return asked.answer;
    return this.#ask(key, event.nick, mask, whox);
  }

  /** Whether somebody of that nick is in a channel with us. */
  isAround(nick: string): boolean {
    return this.#members.has(nick);
  }

  /** The connection is gone: nothing of what was known holds. */
  reset(): void {
    for (const query of [...this.#queries.values()]) query.settle(undefined);
    this.#known.clear();
    this.#members.clear();
  }

  #ask(key: string, nick: string, mask: string, whox: boolean): Promise<Account> {
    this.#queries.get(key)?.settle(undefined);
    let settle: (account: Account) => void = () => undefined;
    const answer = new Promise<Account>((resolve) => {
      const timer = setTimeout(() => settle(undefined), this.#timeoutMs);
      settle = (account) => {
        clearTimeout(timer);
        this.#queries.delete(key);
        resolve(account);
      };
    });
    this.#queries.set(key, { nick, mask, answer, settle, sameUser: false, account: undefined });
    this.#client.raw(whox ? `WHO ${nick} %uhna` : `WHOIS ${nick}`);
    return answer;
  }

  #heard({ command, params }: IrcMessage): void {
    if (this.#queries.size === 0) return;
    const [, first = "", second = "", third = "", fourth = ""] = params;
    switch (command) {
      case "354": // user host nick account; "0" for none
        this.#note(third, { mask: `${first}@${second}`, account: fourth });
        break;
      case "311": // nick user host
        this.#note(first, { mask: `${second}@${third}` });
        break;
      case "330": // nick account
        this.#note(first, { account: second });
        break;
      case "315": // the end of WHO, of WHOIS
      case "318":
        this.#answered(first);
    }
  }

  #note(nick: string, found: { mask?: string; account?: string }): void {
    const query = this.#queries.get(this.#client.caseLower(nick));
    if (query === undefined) return;
    if (found.mask !== undefined) query.sameUser = found.mask === query.mask;
    if (found.account !== undefined) query.account = found.account === "0" ? undefined : found.account;
  }

  #answered(nick: string): void {
    const query = this.#queries.get(this.#client.caseLower(nick));
    if (query === undefined) return;
    const account = query.sameUser ? query.account : undefined;
    if (query.sameUser) {
      const [ident = "", hostname = ""] = query.mask.split("@");
      this.#keep({ nick: query.nick, ident, hostname }, account);
    }
    query.settle(account);
  }

  #keep({ nick, ident, hostname }: { nick: string; ident: string; hostname: string }, account: Account): void {
    const seen = this.#members.has(nick);
    // Of somebody out of sight nothing can be kept but, for a moment, that we do not know him: he may send many lines.
    if (!seen && account !== undefined) return;
    const announced = seen && this.#client.network.cap.isEnabled("account-notify");
    const keepMs = account === undefined ? KEEP_MS.loggedOut : KEEP_MS.loggedIn;
    const until = announced ? Number.POSITIVE_INFINITY : Date.now() + keepMs;
    this.#known.set(this.#client.caseLower(nick), { account, mask: `${ident}@${hostname}`, until });
  }

  #forget(nick: string): void {
    const key = this.#client.caseLower(nick);
    this.#known.delete(key);
    this.#queries.get(key)?.settle(undefined);
  }
}
