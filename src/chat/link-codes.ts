/**
 * The codes by which somebody shows that two accounts are theirs. A code is random, good once and for ten minutes, and kept as
 * a hash, so that who reads Redis cannot say it.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Account } from "../config/people.ts";
import { UserError } from "../errors.ts";
import { addressOf, sameAccount } from "./links.ts";
import { Room } from "./message.ts";

export const CODE_MINUTES = 10;
const CODE_MS = CODE_MINUTES * 60_000;
/** Wrong codes that an account may say in as many minutes as a code is good. Of 32^8 codes, at most a few are good. */
const TRIES = 5;
/** Crockford's base 32: no I, L, O or U, which are misread. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 8;

const codeKey = (hash: string): string => `docker-ci:links:code:${hash}`;
const askedKey = (account: Account): string => `docker-ci:links:asked:${addressOf(account).toLowerCase()}`;
const triesKey = (account: Account): string => `docker-ci:links:tries:${addressOf(account).toLowerCase()}`;

/** An account, and where and as whom it talks to docker-ci in private. */
export const Party = z.strictObject({
  network: Room.shape.network,
  account: z.string(),
  displayName: z.string(),
  room: Room,
});
export type Party = z.infer<typeof Party>;

/** `first` was given to the asker, to be said by the other account; `second` to the other one, to be said by the asker. */
const Ask = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("first"), asker: Party }),
  z.strictObject({ kind: z.literal("second"), asker: Party, other: Party }),
]);
export type Ask = z.infer<typeof Ask>;
const Kept = z.strictObject({ ask: Ask, until: z.iso.datetime() });

export interface LinkCodes {
  /** A new code, `K7QF-2M9X`; a second `first` one of an account takes the place of the one before. */
  issue(ask: Ask): Promise<string>;
  /**
   * What the code stands for; it is used up by that.
   * @throws UserError for one that is wrong, too old, used, or not this account's to say, and after too many of them.
   */
  redeem(code: string, by: Account): Promise<Ask>;
}

export function createLinkCodes(redis: Redis, clock: Clock): LinkCodes {
  /** Counts a try before it is looked at, so that many at once are not more than allowed. @returns the way to take it back. */
  async function countTry(by: Account): Promise<() => Promise<unknown>> {
    const key = triesKey(by);
    const id = randomBytes(8).toString("hex");
    const now = clock.now().getTime();
    await redis.zremrangebyscore(key, "-inf", now - CODE_MS);
    await redis.zadd(key, now, id);
    await redis.pexpire(key, CODE_MS);
    const takeBack = (): Promise<unknown> => redis.zrem(key, id);
    if ((await redis.zcard(key)) <= TRIES) return takeBack;
    await takeBack();
    throw new UserError(`${TRIES} wrong codes came from this account: try again in ${CODE_MINUTES} minutes.`);
  }

  return {
    async issue(ask) {
      const code = randomCode();
      const hash = hashOf(code);
      const until = new Date(clock.now().getTime() + CODE_MS).toISOString();
      await redis.set(codeKey(hash), JSON.stringify({ ask, until } satisfies z.infer<typeof Kept>), "PX", CODE_MS);
      if (ask.kind === "first") {
        const before = await redis.set(askedKey(ask.asker), hash, "PX", CODE_MS, "GET");
        if (before !== null) await redis.del(codeKey(before));
      }
      return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
    },

    async redeem(code, by) {
      const wrong = new UserError("That code is wrong, used or too old: begin again with “link”.");
      const takeBack = await countTry(by);
      const key = codeKey(hashOf(normalized(code)));
      const json = await redis.get(key);
      if (json === null) throw wrong;
      const { ask, until } = Kept.parse(JSON.parse(json));
      if (new Date(until) <= clock.now()) throw wrong;
      const byAsker = sameAccount(ask.asker, by);
      if (ask.kind === "first" && byAsker) {
        await takeBack();
        throw new UserError("That code is for your other account to say: this one asked for it.");
      }
      // Whoever else says the second one learns nothing about it, and does not use it up.
      if (ask.kind === "second" && !byAsker) throw wrong;
      if ((await redis.del(key)) === 0) throw wrong;
      await takeBack();
      return ask;
    },
  };
}

function randomCode(): string {
  return [...randomBytes(LENGTH)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
}

/** As it was meant, however it was typed: in any case, without dash or spaces, and with the letters that look like digits. */
function normalized(code: string): string {
  return code
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replaceAll("O", "0")
    .replace(/[IL]/g, "1");
}

function hashOf(code: string): string {
  return createHash("sha256").update(`docker-ci link ${code}`).digest("hex");
}
