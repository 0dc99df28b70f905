/** From a line in a chat to an answer in it: is it a command, who asks, may they, what came of it. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Audit, createAudit } from "../audit/audit.ts";
import { followCommand, type Trail } from "../audit/trail.ts";
import type { Config } from "../config.ts";
import { describeError, RuntimeError, UserError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { isRedisAway } from "../queue/redis.ts";
import { redisAwayWords } from "../queue/redis-away.ts";
import { formatAge } from "../units.ts";
import { bindArguments } from "./arguments.ts";
import type { Chat } from "./chat.ts";
import { type Command, type CommandServices, examplesOf, type MisfitError, usage } from "./command.ts";
import { type ParsedCommand, parseLine } from "./grammar.ts";
import { createLinkCodes } from "./link-codes.ts";
import { createLinks, type Group } from "./links.ts";
import { type ChatMessage, roomKey } from "./message.ts";
import { defaultRoles, dependsOnLinks, type Identity, identify, mayAct } from "./people.ts";
import { quoted } from "./quoted.ts";
import { type Reply, say } from "./reply.ts";

/** After this long a person is told that their command is being worked on. */
const STILL_WORKING_MS = 2_500;
/** How long a message that changed something is remembered, so that a second delivery does nothing. */
const HEARD_SECONDS = 86_400;
/** Nobody expects any more that something happens which they asked for before that. */
const LATE_MS = 15 * 60_000;
/** An action is answered once in so long in a room: two bots that act on each other fall silent. */
const ACTION_EVERY_MS = 60_000;
/** Of a command that was said without what it needs. */
const EXAMPLES_SHOWN = 3;

/** What became of a line, for the terminal's exit status. */
export type Handled = "ignored" | "answered" | "refused" | "failed";

interface Outcome {
  readonly reply: Reply;
  readonly handled: Handled;
}

export interface Dispatcher {
  /** Answers in the room of the message. Never throws; what went wrong is in the answer and in the log. */
  handle(message: ChatMessage, chat: Chat): Promise<Handled>;
  /** From now on commands are answered with this sentence; undefined ends it. */
  refuseAll(reason: string | undefined): void;
}

export function createDispatcher(
  services: CommandServices,
  redis: Redis,
  log: Logger,
  audit: Audit = createAudit(redis, services.clock),
): Dispatcher {
  const { config, commands } = services;
  const links = createLinks(redis);
  const linkCodes = createLinkCodes(redis, services.clock);
  const byName = new Map(
    commands.flatMap((command) => [command.name, ...command.aliases].map((name) => [name, command])),
  );
  let refusal: string | undefined;
  const actedAt = new Map<string, number>();

  /** Whether nobody in the room was answered for an action a moment ago. */
  function mayAnswerAction(room: string): boolean {
    const now = services.clock.now().getTime();
    for (const [other, at] of actedAt) if (now - at >= ACTION_EVERY_MS) actedAt.delete(other);
    if (actedAt.has(room)) return false;
    actedAt.set(room, now);
    return true;
  }

  /** The linked accounts, where they matter. A question is answered without them when Redis is away. */
  async function linkedAccounts({ speaker }: ChatMessage, command: Command): Promise<readonly Group[]> {
    if (!dependsOnLinks(config, speaker)) return [];
    try {
      return await links.all();
    } catch (error) {
      if (command.changes || command.role !== undefined) throw error;
      log.warn({ err: error }, "could not read which accounts are linked");
      return [];
    }
  }

  /**
   * Why something that was asked of a process before this one is left undone. Its mark (`heardFirst`) is set before it is done,
   * so a command with the mark may have taken effect or not: one that is not repeatable is done at most once, and the person
   * is told. Without the mark it was not begun.
   */
  async function whyNotNow(command: Command, message: ChatMessage, at: Date): Promise<string | undefined> {
    const begun = command.changes && (await redis.exists(heardKey(message))) === 1;
    const agoMs = Math.max(0, services.clock.now().getTime() - at.getTime());
    const late = agoMs > LATE_MS;
    const what = `${config.prefix}${command.name} of ${formatAge(agoMs)} ago`;
    if (begun && (late || !command.repeatable))
      return `docker-ci was stopped in the middle of your ${what}. Look whether it was done, and say it again if not.`;
    return late
      ? `docker-ci was stopped before your ${what} and did not run it. Say it again if you still want it.`
      : undefined;
  }

  /** In private, where everybody may do it in a room, that is nearer than to be given a role. */
  function adviceFor({ role }: Command, identity: Identity, { room, speaker }: ChatMessage): string {
    const roles = new Set(defaultRoles(config, speaker.network));
    const mayInRooms = room.kind === "direct" && mayAct({ ...identity, roles }, role);
    return mayInRooms ? "Everybody has it in the rooms that I am configured for: say it there." : identity.advice;
  }

  /** `follow` is told of the command's trail as soon as there is one. */
  async function answer(parsed: ParsedCommand, message: ChatMessage, follow: (trail: Trail) => void): Promise<Outcome> {
    const command = byName.get(parsed.name);
    if (command === undefined) return refuse(unknownCommand(parsed.name, [...byName.keys()], config));
    if (refusal !== undefined) return refuse(refusal);
    if (message.leftOver !== undefined) {
      const stays = await whyNotNow(command, message, message.leftOver);
      if (stays !== undefined) return refuse(stays);
    }
    const identity = identify(config, message.speaker, message.room, await linkedAccounts(message, command));
    const trail = followCommand(audit, { command, parsed, message, identity }, log);
    if (!mayAct(identity, command.role)) {
      await trail.forbidden(`takes the role ${command.role}`);
      return refuse(
        `${config.prefix}${command.name} takes the role ${command.role}. ${adviceFor(command, identity, message)}`,
      );
    }
    const bound = bindArguments(command, parsed);
    if (bound.kind === "unfit") return refuse(howTo(command, config.prefix, bound.problem));
    const misfit = command.misfit(bound.given);
    if (misfit !== undefined) return refuse(howTo(command, config.prefix, misfitPhrase(misfit, bound.given)));
    if (command.changes) {
      const first = await heardFirst(redis, message);
      if (!first && message.leftOver === undefined) return { reply: say("info", []), handled: "ignored" };
      await trail.begins();
      follow(trail);
    }
    const reply = await command.execute(bound.given, { ...services, links, linkCodes, audit, message, identity });
    return { reply, handled: reply.lines[0]?.tone === "refused" ? "refused" : "answered" };
  }

  return {
    refuseAll(reason) {
      refusal = reason;
    },
    async handle(message, chat) {
      const direct = message.room.kind === "direct" || message.command === true;
      const { botName, action = false } = message;
      const parsed = parseLine(message.text, { prefix: config.prefix, botName, direct, action });
      if (parsed.kind === "none" || (action && !mayAnswerAction(roomKey(message.room)))) return "ignored";
      const about = {
        room: roomKey(message.room),
        speaker: message.speaker.displayName,
        account: message.speaker.account,
      };
      const to = message.speaker.displayName;
      const send = (reply: Reply, whisper = false): Promise<void> =>
        chat.send({
          room: message.room,
          reply,
          to,
          toAccount: message.speaker.account,
          priority: "answer",
          whisper,
          thread: message.thread,
        });
      const working = setTimeout(() => {
        send(say("info", [`working on ${config.prefix}${parsed.name}…`])).catch((error: unknown) => {
          log.warn({ ...about, reason: describeError(error) }, "could not say that a command is being worked on");
        });
      }, STILL_WORKING_MS);

      let trail: Trail | undefined;
      const follow = (begun: Trail): void => {
        trail = begun;
      };
      let outcome: Outcome;
      try {
        outcome = parsed.kind === "malformed" ? refuse(parsed.message) : await answer(parsed, message, follow);
      } catch (error) {
        const reply = await failure(error, config, log.child({ ...about, command: parsed.name }));
        outcome = { reply, handled: failureKind(error) };
      } finally {
        clearTimeout(working);
      }
      if (outcome.handled === "ignored") return "ignored";
      await trail?.ends(outcome.handled, outcome.reply);
      log.debug({ ...about, command: parsed.name, handled: outcome.handled }, "command handled");
      try {
        await send(outcome.reply, message.discreet === true && outcome.handled !== "answered");
      } catch (error) {
        log.warn({ ...about, command: parsed.name, reason: describeError(error) }, "an answer could not be delivered");
      }
      return outcome.handled;
    },
  };
}

/** Whether this message is heard for the first time: a network may deliver one twice after a reconnection. */
async function heardFirst(redis: Redis, message: ChatMessage): Promise<boolean> {
  return (await redis.set(heardKey(message), "1", "EX", HEARD_SECONDS, "NX")) === "OK";
}

function heardKey({ room, id }: ChatMessage): string {
  return `docker-ci:heard:${room.network}:${id}`;
}

function refuse(text: string): Outcome {
  return { reply: say("refused", [text]), handled: "refused" };
}

function failureKind(error: unknown): Handled {
  return error instanceof UserError ? "refused" : "failed";
}

/** The one place where a thrown value becomes an answer. */
async function failure(error: unknown, config: Config, log: Logger): Promise<Reply> {
  if (error instanceof UserError) return say("refused", [error.message]);
  if (isRedisAway(error)) {
    log.error({ err: error }, "Redis did not answer a command");
    const { wrong, mend } = await redisAwayWords(error, config);
    return say("errored", [`${wrong}, so nothing was done. ${mend}`]);
  }
  if (error instanceof RuntimeError) {
    log.error({ err: error }, "the machinery refused a command");
    return say("errored", [error.message]);
  }
  const incident = randomBytes(3).toString("hex");
  log.error({ err: error, incident }, "command failed");
  return say("errored", [`That went wrong on my side (${incident}); the log has the details.`]);
}

function unknownCommand(name: string, known: readonly string[], { prefix, projects }: Config): string {
  const near = nearest(name, known, 1)[0];
  const project = [...projects.keys()].find((other) => other === name);
  const guess = project === undefined ? near : `build ${project}`;
  return `no command ${quoted(name)}.${guess === undefined ? "" : ` Did you mean ${prefix}${guess}?`} ${prefix}help lists them.`;
}

/**
 * What does not fit, then how it is said: `"abc" is not a build's number, such as 43. !log <build> [lines or /pattern/], for
 * example !log 43`. Where nothing was said yet, a few examples: `!log <build> [lines or /pattern/], for example !log 43 or !log 43 20`.
 */
function howTo(command: Command, prefix: string, problem: string): string {
  const form = usage(command, prefix);
  const typed = examplesOf(command, prefix).filter((example) => example !== form);
  const shown = typed.slice(0, problem === "" ? EXAMPLES_SHOWN : 1);
  const examples = shown.length === 0 ? "" : `, for example ${shown.join(" or ")}`;
  return `${problem === "" ? "" : `${problem}. `}${form}${examples}`;
}

/** `"abc" is not a build's number, such as 43`; an argument that is not there at all needs no words, the usage line shows it. */
function misfitPhrase({ argument, message }: MisfitError, given: Readonly<Record<string, unknown>>): string {
  const found = given[argument];
  if (found === undefined) return "";
  return `${quoted(typeof found === "string" ? found : JSON.stringify(found))} is not ${message}`;
}
