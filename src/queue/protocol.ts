/**
 * What a bot and its workers say to each other, as one number. It is raised with every change after which an older worker would
 * misunderstand a newer bot, or the other way round: of the records, of the scripts on the line, of how files are brought. Workers
 * of another number take nothing until they are of the bot's.
 */
import type { Redis } from "ioredis";

export const PROTOCOL = 2;

/** The number of the docker-ci that answers the chats. */
export const PROTOCOL_KEY = "docker-ci:workers:protocol";

/** The bot says which one it speaks; from then on every other is refused. */
export async function announceProtocol(redis: Redis, protocol = PROTOCOL): Promise<void> {
  await redis.set(PROTOCOL_KEY, protocol);
}

/** Why a worker that speaks `mine` may take nothing; undefined where it may. @param bots as Redis has it. */
export function protocolProblem(bots: string | null, mine: number): string | undefined {
  if (bots === String(mine)) return undefined;
  return bots === null
    ? "no docker-ci has been started on this Redis yet"
    : `it speaks protocol ${mine} and docker-ci speaks ${bots}: run the same version on both`;
}
