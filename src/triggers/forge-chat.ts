/**
 * Forges as a chat that only speaks: a network whose rooms are commits and pull requests, so that the outbox keeps, orders and retries
 * statuses and comments as it does what is said. What is told is how the build is at that moment: of what piled up while a forge was
 * away, only the last is said, and a status that is there already is not set again.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Build, isFinished } from "../builds/build.ts";
import type { Chat, ChatState, Outgoing } from "../chat/chat.ts";
import type { Room } from "../chat/message.ts";
import type { Forge } from "../config.ts";
import { describeError, RuntimeError } from "../errors.ts";
import type { ForgeApi } from "../forge.ts";
import { BuildNumber, FORGE_NETWORK } from "../names.ts";
import { ForgeLane, LANE_TIMING, type LaneTiming } from "./forge-lane.ts";
import { commitRoom, type ForgeConfig, forgeAccess, pullRequestRoom, siteOf } from "./forge-rooms.ts";
import { createForgeSaid } from "./forge-said.ts";
import { commentOf } from "./pull-request-comment.ts";
import { statusContext, statusOf } from "./statuses.ts";

/** Gives the one that speaks with a forge; undefined where there is none, or no token for it. */
export type ForgeApis = (forge: Forge) => ForgeApi | undefined;

export interface ForgeChatDeps {
  readonly config: ForgeConfig;
  readonly apis: ForgeApis;
  readonly redis: Redis;
  readonly log: Logger;
  readonly timing?: LaneTiming;
  /** The record as it is now. */
  build(number: BuildNumber): Promise<Build | undefined>;
}

export function openForgeChat({ config, apis, redis, log, timing = LANE_TIMING, build }: ForgeChatDeps): Chat {
  const closing = new AbortController();
  const said = createForgeSaid(redis);
  const lanes = new Map<string, ForgeLane>();
  const listeners = new Set<(state: ChatState) => void>();
  let state: ChatState = { kind: "connected", since: new Date(), rooms: [] };

  const look = (): void => {
    const trouble = [...lanes.values()].flatMap((lane) => lane.trouble ?? [])[0];
    const same =
      trouble === undefined ? state.kind === "connected" : state.kind === "away" && state.reason === trouble.reason;
    if (same) return;
    state = trouble === undefined ? { kind: "connected", since: new Date(), rooms: [] } : { kind: "away", ...trouble };
    for (const listener of listeners) listener(state);
  };
  const laneOf = (forge: Forge): ForgeLane => {
    const lane = lanes.get(siteOf(forge)) ?? new ForgeLane(timing, look);
    lanes.set(siteOf(forge), lane);
    return lane;
  };

  /** Says it, unless a newer build has had its say there, or this was said already. */
  async function once(room: Room, now: Build, what: string, say: () => Promise<void>): Promise<void> {
    const about = statusContext(now.project);
    const before = await said.get(room, about);
    if (before !== undefined && (before.number > now.number || (before.number === now.number && before.what === what)))
      return;
    await say();
    await said.set(room, about, { number: now.number, what });
  }

  async function tell(room: Room, now: Build, forge: Forge, api: ForgeApi): Promise<void> {
    const { revision } = now;
    if (revision === undefined) return;
    const { signal } = closing;
    if (room.name === commitRoom(forge, revision.sha).name) {
      const status = statusOf({ ...now, revision }, config.url);
      await once(room, now, `${status.state} ${status.description}`, async () =>
        api.setStatus?.(forge, status, signal),
      );
      return;
    }
    const number = revision.pullRequest?.number;
    if (number === undefined || room.name !== pullRequestRoom(forge, number).name) return;
    if (isFinished(now) && forgeAccess(config, forge)?.comment === true) {
      const text = commentOf(now, config.url);
      const key = statusContext(now.project);
      await once(room, now, now.state.kind, () => api.comment(forge, number, key, text, signal));
    }
  }

  async function send({ room, reply }: Outgoing): Promise<void> {
    const number = BuildNumber.safeParse(/^build-(\d+)$/.exec(reply.key ?? "")?.[1]).data;
    const now = number === undefined ? undefined : await build(number);
    if (now === undefined) throw new RuntimeError("there is no build of that number any more", { retryable: false });
    const forge = config.projects.get(now.project)?.forge;
    const api = forge === undefined ? undefined : apis(forge);
    if (forge === undefined || api === undefined)
      throw new RuntimeError(`${now.project} has no forge and token any more`, { retryable: false });
    await laneOf(forge).run(async () => {
      if (closing.signal.aborted) throw new RuntimeError("docker-ci is closing");
      // Read again: it may have waited behind others, and gone on.
      await tell(room, (await build(now.number)) ?? now, forge, api);
    });
  }

  return {
    network: FORGE_NETWORK,
    get state() {
      return state;
    },
    async send(outgoing) {
      try {
        await send(outgoing);
      } catch (error) {
        if (error instanceof RuntimeError) throw error;
        throw new RuntimeError(`${outgoing.room.name} cannot be told: ${describeError(error)}`, { cause: error });
      }
    },
    // What people say on a forge comes in by webhooks.
    onMessage: () => () => undefined,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("docker-ci is closing"));
      for (const lane of lanes.values()) lane[Symbol.dispose]();
      listeners.clear();
      log.debug({ forges: lanes.size }, "forges closed");
    },
  };
}
