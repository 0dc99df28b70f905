/** Backups that somebody asked for in a chat: shown there as they go, and answered at their end, also after a restart. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { z } from "zod";
import { Requester } from "../builds/build.ts";
import type { Chat } from "../chat/chat.ts";
import { line, type Reply } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import { describeError, UserError } from "../errors.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { type Backups, type BackupsState, outcomeFacts } from "./backups.ts";
import { progressLine } from "./progress.ts";

const ASKED = "docker-ci:backup:asked";
/** Of the message that changes in place. */
const KEY = "backup";

const Asked = z.strictObject({ at: z.iso.datetime(), requester: Requester });
type Asked = z.infer<typeof Asked>;

/** KEYS: asked, rooms with an outbox. ARGV: `pushArguments`. The answer is put up exactly when it is not owed any more. */
const ANSWER = `
if redis.call('DEL', KEYS[1]) == 0 then return 0 end
${pushLua({ rooms: 2, first: 1 })}return 1
`;

export interface AskedScene {
  readonly backups: Backups;
  readonly redis: Redis;
  readonly chats: ReadonlyMap<string, Chat>;
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What chats and pages may do with backups. */
export interface AskedBackups extends AsyncDisposable {
  state(): Promise<BackupsState>;
  /** Resolves when it is under way. @throws UserError while another is. */
  ask(requester: Requester): Promise<void>;
  /** Makes the one that a process before this one was killed over, if there was one. */
  resume(): Promise<void>;
}

/** Disposing ends the one that is under way; the next start makes it anew. */
export function createAskedBackups({ backups, redis, chats, url, clock, log }: AskedScene): AskedBackups {
  const stopped = new AbortController();
  let underWay: Promise<void> = Promise.resolve();
  let isBusy = false;

  async function make(asked: Asked, isResumed: boolean, onBegun: () => void): Promise<void> {
    const { room } = asked.requester;
    const show = (reply: Reply | undefined): void => chats.get(room.network)?.progress?.(room, KEY, reply);
    let facts: string[];
    let isGood = false;
    let isBegun = false;
    try {
      const outcome = await backups.run({
        signal: stopped.signal,
        onProgress: (progress) => show({ lines: [progressLine(progress)], key: KEY }),
        async onBegun() {
          isBegun = true;
          isBusy = true;
          await redis.set(ASKED, JSON.stringify(asked));
          onBegun();
        },
      });
      isGood = outcome.problems.length === 0;
      facts = outcomeFacts(outcome);
    } catch (error) {
      // Stopped: it is owed still. Refused: whoever asked is told at once.
      if (stopped.signal.aborted || error instanceof UserError) throw error;
      facts = [`backup failed: ${describeError(error)}`];
    } finally {
      show(undefined);
      if (isBegun) isBusy = false;
    }
    const lines = [
      line(isGood ? "passed" : "errored", [...facts, isResumed ? "begun again after a restart" : ""], `${url}/backups`),
    ];
    await redis.eval(ANSWER, 2, ASKED, OUTBOX_ROOMS, ...pushArguments([answer(asked, { lines, key: KEY })]));
  }

  function answer({ at, requester }: Asked, reply: Reply): OutboxEntry {
    const { room, displayName, thread, account } = requester;
    return {
      id: `backup-asked-${at}`,
      at: clock.now().toISOString(),
      outgoing: {
        room,
        reply,
        to: displayName,
        priority: "answer",
        ...(thread === undefined ? {} : { thread }),
        ...(account === undefined ? {} : { toAccount: account }),
      },
    };
  }

  const begin = (asked: Asked, isResumed: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      underWay = make(asked, isResumed, resolve).catch((error: unknown) => {
        if (!stopped.signal.aborted) log.warn({ reason: describeError(error) }, "a backup that was asked for ended");
        reject(error);
      });
    });

  return {
    state: backups.state,
    ask: (requester) => begin({ at: clock.now().toISOString(), requester }, false),
    async resume() {
      // What is noted there is what this process is at.
      if (isBusy) return;
      const json = await redis.get(ASKED);
      if (json === null) return;
      await begin(Asked.parse(JSON.parse(json)), true);
      await underWay;
    },
    async [Symbol.asyncDispose]() {
      stopped.abort(new Error("docker-ci is stopping"));
      await underWay;
    },
  };
}
