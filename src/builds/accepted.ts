/** The answer to a build that was asked for: its number, what it is of, its place in line, when to expect it, where to look. */

import type { CommandServices } from "../chat/command.ts";
import type { ChatMessage } from "../chat/message.ts";
import type { Identity } from "../chat/people.ts";
import { type Reply, say } from "../chat/reply.ts";
import { formatDuration } from "../units.ts";
import type { Build, Requester } from "./build.ts";
import { buildActions, buildKey, buildUrl, quotedTitle, revisionName } from "./describe.ts";

export function requesterOf(identity: Identity, { speaker, room, thread }: ChatMessage): Requester {
  return {
    name: identity.name,
    displayName: speaker.displayName,
    network: room.network,
    room,
    ...(speaker.account === undefined ? {} : { account: speaker.account }),
    ...(thread === undefined ? {} : { thread }),
  };
}

export async function accepted(
  build: Build,
  { builds, config, workers }: Pick<CommandServices, "builds" | "config" | "workers">,
): Promise<Reply> {
  const [queued, expectedMs, known] = await Promise.all([builds.queued(), builds.expectedMs(build.project), workers()]);
  const before = queued.filter(({ number }) => number < build.number).length;
  const place = known.length === 0 ? "no worker is up" : before === 0 ? "next in line" : `${before} before it`;
  const reply = say(
    "queued",
    [
      `${build.project} #${build.number} queued`,
      `${revisionName(build)}${quotedTitle(build.revision)}`,
      place,
      expectedMs === undefined ? "" : `about ${formatDuration(expectedMs)}`,
    ],
    buildUrl(config.url, build.number),
  );
  return { ...reply, key: buildKey(build.number), actions: buildActions(build, config.url) };
}
