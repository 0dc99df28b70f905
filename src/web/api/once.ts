/** `Idempotency-Key`: what is asked for twice under one key is done once and answered alike, for a day. Kept in Redis. */
import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Visitor } from "../login/visitor.ts";

const DAY_S = 86_400;
/** Longer than any request takes: after that whoever made it is gone. */
const PENDING_S = 90;

export type Once<Answer> =
  | { readonly kind: "done"; readonly answer: Answer; readonly replayed: boolean }
  /** The same key came with another request. */
  | { readonly kind: "misused" }
  /** It is being answered at this moment. */
  | { readonly kind: "underway" };

/** @param answers what the answers look like, which are kept as JSON. */
export function createOnce<Answer>(redis: Redis, answers: z.ZodType<Answer>) {
  const Kept = z.strictObject({ request: z.string(), answer: answers.optional() });

  /**
   * Does it, or gives the answer from before. @param key as the header has it; two people's are two. @param request all that is
   * asked for. @param work is given a name for what must not be done twice either when this process is killed in between.
   */
  return async (
    visitor: Visitor,
    key: string,
    request: string,
    work: (asked: string) => Promise<Answer>,
  ): Promise<Once<Answer>> => {
    const name = digest(`${visitor.identity.key}\0${key}`);
    const place = `docker-ci:web:once:${name}`;
    const mark = { request: digest(request) };
    if ((await redis.set(place, JSON.stringify(mark), "EX", PENDING_S, "NX")) !== "OK") {
      const json = await redis.get(place);
      // It went in this moment, because it came to nothing.
      if (json === null) return { kind: "underway" };
      const before = Kept.parse(JSON.parse(json));
      if (before.request !== mark.request) return { kind: "misused" };
      return before.answer === undefined
        ? { kind: "underway" }
        : { kind: "done", answer: before.answer, replayed: true };
    }
    try {
      const answer = await work(`api:${name}`);
      await redis.set(place, JSON.stringify({ ...mark, answer }), "EX", DAY_S);
      return { kind: "done", answer, replayed: false };
    } catch (error) {
      // Nothing was done, so it may be asked for again; should Redis be away, the mark fades by itself.
      await redis.del(place).catch(() => undefined);
      throw error;
    }
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
