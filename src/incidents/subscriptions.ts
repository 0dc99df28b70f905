/** Who hears what, where: subscriptions of rooms, builds that are watched, rooms that want quiet. Kept over restarts. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { Room, roomKey } from "../chat/message.ts";
import type { Clock } from "../clock.ts";
import { GitRef, ProjectName } from "../names.ts";

const SUBSCRIPTIONS = "docker-ci:subscriptions";
const MUTES = "docker-ci:mutes";
const SNOOZES = "docker-ci:snoozes";
const watchers = (number: number): string => `docker-ci:watch:${number}`;
/** A build that somebody watches is over within a month, or nobody cares any more. */
const WATCH_SECONDS = 30 * 86_400;

/** What can be subscribed to; `every` is all results of all builds. */
export const SubscribedEvent = z.enum(["broken", "fixed", "errored", "every"]);
export type SubscribedEvent = z.infer<typeof SubscribedEvent>;
export const DEFAULT_EVENTS: readonly SubscribedEvent[] = ["broken", "fixed", "errored"];

export const Subscription = z.strictObject({
  room: Room,
  /** Undefined: every project. */
  project: ProjectName.optional(),
  /** Undefined: every branch. */
  branch: GitRef.optional(),
  events: z.array(SubscribedEvent).min(1),
});
export type Subscription = z.infer<typeof Subscription>;

const Watcher = z.strictObject({ room: Room, to: z.string(), toAccount: z.string().optional() });
export type Watcher = z.infer<typeof Watcher>;

export type Subscriptions = ReturnType<typeof createSubscriptions>;

export function createSubscriptions(redis: Redis, clock: Clock) {
  const field = (room: Room, project: ProjectName | undefined): string => `${roomKey(room)} ${project ?? "*"}`;
  /** Whether a time that was kept lies ahead; what is over is forgotten. */
  const ahead = async (hash: string, name: string): Promise<Date | undefined> => {
    const until = await redis.hget(hash, name);
    if (until === null) return undefined;
    const date = new Date(until);
    if (date > clock.now()) return date;
    await redis.hdel(hash, name);
    return undefined;
  };

  return {
    async all(): Promise<Subscription[]> {
      return Object.values(await redis.hgetall(SUBSCRIPTIONS)).map((json) => Subscription.parse(JSON.parse(json)));
    },
    /** One for a room and project: a new one takes the place of the old. */
    async add(subscription: Subscription): Promise<void> {
      await redis.hset(
        SUBSCRIPTIONS,
        field(subscription.room, subscription.project),
        JSON.stringify(Subscription.parse(subscription)),
      );
    },
    /** @returns whether there was one. */
    async remove(room: Room, project: ProjectName | undefined): Promise<boolean> {
      return (await redis.hdel(SUBSCRIPTIONS, field(room, project))) > 0;
    },

    /** All of a room. @returns how many there were. */
    async removeAll(room: Room): Promise<number> {
      const fields = (await redis.hkeys(SUBSCRIPTIONS)).filter((each) => each.startsWith(`${roomKey(room)} `));
      return fields.length === 0 ? 0 : redis.hdel(SUBSCRIPTIONS, ...fields);
    },

    async watch(number: number, watcher: Watcher): Promise<void> {
      await redis
        .multi()
        .sadd(watchers(number), JSON.stringify(Watcher.parse(watcher)))
        .expire(watchers(number), WATCH_SECONDS)
        .exec();
    },
    async watchersOf(number: number): Promise<Watcher[]> {
      return (await redis.smembers(watchers(number))).map((json) => Watcher.parse(JSON.parse(json)));
    },

    /** No notices in that room until then; answers go on. */
    async mute(room: Room, until: Date): Promise<void> {
      await redis.hset(MUTES, roomKey(room), until.toISOString());
    },
    async unmute(room: Room): Promise<boolean> {
      return (await redis.hdel(MUTES, roomKey(room))) > 0;
    },
    mutedUntil: (room: Room): Promise<Date | undefined> => ahead(MUTES, roomKey(room)),

    /** No notices of that project anywhere until then, besides that it is mended. */
    async snooze(project: ProjectName, until: Date): Promise<void> {
      await redis.hset(SNOOZES, project, until.toISOString());
    },
    snoozedUntil: (project: ProjectName): Promise<Date | undefined> => ahead(SNOOZES, project),
  };
}
