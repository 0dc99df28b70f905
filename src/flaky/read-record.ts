/** A record as it came out of Redis. One that cannot be read, as after a downgrade, is left out, so that it hides no other. */
import type { Logger } from "pino";
import type { z } from "zod";

const SHOWN = 300;

/** None or one, for flatMap. */
export function readRecord<T>(schema: z.ZodType<T>, json: string | null, log: Logger | undefined): T[] {
  if (json === null) return [];
  try {
    return [schema.parse(JSON.parse(json))];
  } catch (error) {
    // Neither JSON nor a record: whoever looks after docker-ci hears of it.
    log?.error({ err: error, json: json.slice(0, SHOWN) }, "a record of tests that cannot be read");
    return [];
  }
}
