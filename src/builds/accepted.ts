/** The answer to a build that was asked for: its number, what it is of, its place in line, when to expect it, where to look. */

import type { CommandServices } from "../chat/command.ts";
import type { ChatMessage } from "../chat/message.ts";
import type { Identity } from "../chat/people.ts";
import { type Reply, say } from "../chat/reply.ts";
import { formatAge } from "../units.ts";
import type { Build, Requester } from "./build.ts";
import { buildActions, buildKey, buildUrl, quotedTitle, revisionName } from "./describe.ts";
import { expectedPhrase } from "./expected.ts";
import { placePhrase } from "./waiting.ts";

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

/** What the message asks for is asked for once (`BuildRequest.asked`), whatever is killed and begun again. */
export function askedIn({ room, id }: ChatMessage): string {
  return `${room.network}:${id}`;
}

export async function accepted(
  build: Build,
  { builds, config, clock, workers }: Pick<CommandServices, "builds" | "config" | "clock" | "workers">,
): Promise<Reply> {
  const known = await workers();
  const { expected, forecast } = await builds.outlook(known);
  const reply = say(
    "queued",
    [
      `${build.project} #${build.number} queued`,
      `${revisionName(build)}${quotedTitle(build.revision)}`,
      known.length === 0
        ? "no worker is up"
        : placePhrase(forecast(build), { now: clock.now(), timezone: config.timezone }),
      expectedPhrase(expected(build)),
      build.keepMs === undefined ? "" : `kept for ${formatAge(build.keepMs)} if it fails`,
    ],
    buildUrl(config.url, build.number),
  );
  return { ...reply, key: buildKey(build.number), actions: buildActions(build, config.url) };
}
