/** What every forge's webhooks have in common: JSON or a form around it, text that nobody vouches for, and refusing. */
import { z } from "zod";
import type { Heard } from "../../src/forge.ts";
import { cleanName } from "../../src/results/clean-name.ts";

type Refused = Extract<Heard, { kind: "refused" }>;

export function refused(status: Refused["status"], reason: string): Refused {
  return { kind: "refused", status, reason };
}

export function nothing(reason: string): Heard {
  return { kind: "nothing", reason };
}

/** The payload: the body, or the field `payload` of the form that it is (O-40). Undefined where there is no JSON. */
export function readPayload(headers: Headers, body: Buffer): unknown {
  const text = body.toString("utf8");
  const isForm = headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") === true;
  try {
    return JSON.parse(isForm ? (new URLSearchParams(text).get("payload") ?? "") : text);
  } catch {
    // SyntaxError; whoever reads it says what was expected.
    return undefined;
  }
}

/** Reads with a schema; what does not fit is refused with the place of the first thing that is wrong. */
export function expecting<Schema extends z.ZodType>(
  schema: Schema,
  payload: unknown,
  what: string,
  read: (value: z.output<Schema>) => Heard,
): Heard {
  if (payload === undefined) return refused(400, "The body is no JSON.");
  const { success, data, error } = schema.safeParse(payload);
  if (success) return read(data);
  const place = error.issues[0]?.path.join(".") ?? "";
  return refused(400, `This is not ${what} as it should be${place === "" ? "" : `: look at ${place}`}.`);
}

/** Whether a header, such as a delivery's id, can be a part of a key and of a log line. */
export function isPlain(header: string | null): header is string {
  return header !== null && /^[\x21-\x7e]{1,128}$/.test(header);
}

/** A name, a title: one line, without controls. */
export const line = z.string().transform(cleanName);

/** A number of a pull request. */
export const pullRequestNumber = z.number().int().positive().max(2_147_483_647);
