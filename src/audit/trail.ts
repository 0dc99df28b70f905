/** What a chat command leaves in the audit log: the one place from which the dispatcher records. */
import type { Logger } from "pino";
import { bindArguments } from "../chat/arguments.ts";
import { argumentForms, type Command } from "../chat/command.ts";
import type { ParsedCommand } from "../chat/grammar.ts";
import { addressOf } from "../chat/links.ts";
import { type ChatMessage, roomKey } from "../chat/message.ts";
import { accountOf, type Identity } from "../chat/people.ts";
import { lineText, type Reply } from "../chat/reply.ts";
import type { Audit } from "./audit.ts";
import type { Act, Outcome } from "./entry.ts";

export interface Trail {
  /** It is allowed and about to be done. @throws when it cannot be recorded: then it must not be done. */
  begins(): Promise<void>;
  /** What came of what was begun: success needs no second entry. Never throws. */
  ends(handled: "answered" | "refused" | "failed", reply: Reply): Promise<void>;
  /** It is not allowed. Never throws: to refuse something, no record is needed. */
  forbidden(why: string): Promise<void>;
}

export function followCommand(
  audit: Audit,
  {
    command,
    parsed,
    message,
    identity,
  }: {
    readonly command: Command;
    readonly parsed: ParsedCommand;
    readonly message: ChatMessage;
    readonly identity: Identity;
  },
  log: Logger,
): Trail {
  const shown = shownArguments(command, parsed);
  const trail = followAct(audit, { ...actor(identity, message), action: command.name }, shown, log);
  return {
    ...trail,
    async ends(handled, reply) {
      if (handled !== "answered") await trail.ended(handled, reply.lines.map(lineText).join(" "));
    },
  };
}

export interface ActTrail extends Pick<Trail, "begins" | "forbidden"> {
  /** It was begun and came to nothing. Never throws. */
  ended(outcome: "refused" | "failed", why: string): Promise<void>;
}

/** The same for what is no command: what somebody did on the page. @param shown what of it, without what may be a secret. */
export function followAct(
  audit: Pick<Audit, "record">,
  act: Pick<Act, "who" | "account" | "room" | "action">,
  shown: string,
  log: Logger,
): ActTrail {
  async function record(outcome: Outcome, detail: string): Promise<void> {
    const { n, hash } = await audit.record({ ...act, outcome, detail: withoutPasswords(detail) });
    log.info({ n, hash, command: act.action, outcome }, "audited");
  }
  async function afterwards(outcome: Outcome, why: string): Promise<void> {
    try {
      await record(outcome, shown === "" ? why : `${shown}: ${why}`);
    } catch (error) {
      log.error({ err: error, command: act.action, outcome, why }, "what became of a command could not be audited");
    }
  }

  return {
    begins: () => record("accepted", shown),
    ended: afterwards,
    forbidden: (why) => afterwards("refused", why),
  };
}

/** The part of an act that says who and where. */
export function actor(
  identity: Identity,
  { speaker, room }: Pick<ChatMessage, "speaker" | "room">,
): Pick<Act, "who" | "account" | "room"> {
  const account = accountOf(speaker);
  return { who: identity.name, account: account === undefined ? null : addressOf(account), room: roomKey(room) };
}

/**
 * The arguments as they were understood, without what may be a secret: an argument that is said to be one, the value of every
 * `key=value`, and a password in an address. What fits no argument is left out, since nobody knows what it is.
 */
export function shownArguments(command: Command, parsed: ParsedCommand): string {
  const bound = bindArguments(command, parsed);
  if (bound.kind === "unfit") return "";
  const shown = argumentForms(command.args).flatMap(({ name, takes, secret }) => {
    const value = bound.given[name];
    if (value === undefined) return [];
    if (takes === "pairs")
      return Object.keys(typeof value === "object" && value !== null ? value : {}).map((key) => `${key}=…`);
    if (takes === "switch") return [`--${name}`];
    const said = secret ? "…" : String(value);
    return [takes === "option" ? `--${name} ${said}` : said];
  });
  return withoutPasswords(shown.join(" "));
}

/** `https://…@example.org/x`: what stands before the host of an address may be a password or a token. */
function withoutPasswords(text: string): string {
  return text.replace(/(:\/\/)[^/\s@]+@/g, "$1…@");
}
