/** What has to outlive the process: which events were heard, and which message shows what. */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { NetworkName } from "../../src/names.ts";

/** A message of ours that can be edited. */
export const Posted = z.object({
  /** As Slack names it in its answer; a room may be named by a user's id. */
  channel: z.string(),
  ts: z.string(),
  /** The thread it stands in. */
  thread: z.string().optional(),
  /** It shows an end; nothing about a build under way takes its place any more. */
  final: z.boolean(),
});
export type Posted = z.infer<typeof Posted>;

export interface SlackMemory {
  /** Whether nobody asked for this id within the last day. */
  firstTime(id: string): Promise<boolean>;
  /** The message that shows `key` (`build-42`) in a room; remembered for a month. */
  get(room: string, key: string): Promise<Posted | undefined>;
  set(room: string, key: string, posted: Posted): Promise<void>;
}

const DAY_S = 86_400;
const MONTH_S = 30 * DAY_S;

/** Keys: `docker-ci:slack:<network>:once:<id>` and `docker-ci:slack:<network>:posted:<room>:<key>`, both with expiry. */
export function createSlackMemory(redis: Redis, network: NetworkName): SlackMemory {
  const prefix = `docker-ci:slack:${network}`;
  return {
    async firstTime(id) {
      return (await redis.set(`${prefix}:once:${id}`, "1", "EX", DAY_S, "NX")) === "OK";
    },
    async get(room, key) {
      const json = await redis.get(`${prefix}:posted:${room}:${key}`);
      return json === null ? undefined : Posted.safeParse(JSON.parse(json)).data;
    },
    async set(room, key, posted) {
      await redis.set(`${prefix}:posted:${room}:${key}`, JSON.stringify(posted), "EX", MONTH_S);
    },
  };
}
