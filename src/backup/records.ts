/**
 * The records of Redis as lines of JSON, sorted: the same records give the same text, whatever server they come from, so that it
 * can be compared, read by a person, and read by a Redis of another version.
 */
import { StringDecoder } from "node:string_decoder";
import type { ChainableCommander, Redis } from "ioredis";
import { z } from "zod";
import { RuntimeError } from "../errors.ts";
import { isMomentary, PREFIX } from "./keys.ts";

/** Keys read at a time, and elements of one key in a line: no line is much larger than the largest element. */
const KEYS = 200;
const ELEMENTS = 500;
/** Bytes of commands sent at a time. */
const SENT_BYTES = 1024 * 1024;

/** Text, or bytes that are none. */
const Value = z.union([z.string(), z.strictObject({ base64: z.string() })]);
type Value = z.infer<typeof Value>;

/**
 * One key, or a part of one that has many elements: the lines of a key follow each other. `values` are a string's one value, a
 * list's elements, a set's sorted members, field after value of a hash (sorted by field), member after score of a sorted set, and
 * one entry of a stream: its id, then field after value.
 */
export const RecordLine = z.strictObject({
  key: z.string(),
  type: z.enum(["string", "list", "set", "hash", "zset", "stream"]),
  /** Milliseconds since 1970; missing where it stays. */
  expiresAt: z.number().int().positive().optional(),
  values: z.array(Value),
});
export type RecordLine = z.infer<typeof RecordLine>;

/** Every record that belongs into a backup, in the order of the keys. The Redis must stand still meanwhile. */
export async function* readRecords(redis: Redis): AsyncGenerator<RecordLine, void, undefined> {
  const keys = (await keysOf(redis)).filter((key) => !isMomentary(key));
  for (let at = 0; at < keys.length; at += KEYS) yield* readSome(redis, keys.slice(at, at + KEYS));
}

/** All of docker-ci's keys, sorted. */
export async function keysOf(redis: Redis): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = "0";
  do {
    const [next, page] = await redis.scan(cursor, "MATCH", `${PREFIX}*`, "COUNT", 1_000);
    for (const key of page) keys.add(key);
    cursor = next;
  } while (cursor !== "0");
  // By code unit, which every machine sorts alike.
  return [...keys].sort();
}

async function* readSome(redis: Redis, keys: readonly string[]): AsyncGenerator<RecordLine, void, undefined> {
  const asked = redis.pipeline();
  for (const key of keys) asked.type(key).pexpiretime(key);
  const about = await answers(asked);
  const small = redis.pipeline();
  const types = keys.map((_, index) => String(about[2 * index]));
  for (const [index, key] of keys.entries()) {
    if (types[index] === "string") small.getBuffer(key);
    else if (types[index] === "hash") small.hgetallBuffer(key);
    else if (types[index] === "list") small.lrangeBuffer(key, 0, ELEMENTS - 1);
    else if (types[index] === "zset") small.zrangeBuffer(key, "0", String(ELEMENTS - 1), "WITHSCORES");
    else if (types[index] === "set") small.smembersBuffer(key);
    else if (types[index] === "stream") small.xrangeBuffer(key, "-", "+");
    else small.exists(key);
  }
  const values = await answers(small);
  for (const [index, key] of keys.entries()) {
    const type = RecordLine.shape.type.safeParse(types[index]);
    // It faded between the two questions, or is of a kind that docker-ci has none of.
    if (!type.success) continue;
    const expires = Number(about[2 * index + 1]);
    const line = { key, type: type.data, ...(expires > 0 ? { expiresAt: expires } : {}) };
    yield* linesOf(redis, line, values[index]);
  }
}

async function* linesOf(
  redis: Redis,
  line: Omit<RecordLine, "values">,
  first: unknown,
): AsyncGenerator<RecordLine, void, undefined> {
  const { key, type } = line;
  switch (type) {
    case "string":
      yield { ...line, values: [encode(first)] };
      return;
    case "hash":
      yield* cut(line, sortedPairs(first), ELEMENTS);
      return;
    case "set":
      yield* cut(line, encodeAll(first).sort(byText), ELEMENTS);
      return;
    case "stream":
      for (const [id, fields] of Entries.parse(first)) yield { ...line, values: [encode(id), ...encodeAll(fields)] };
      return;
    case "list":
    case "zset": {
      const isList = type === "list";
      let page = encodeAll(first);
      const full = isList ? ELEMENTS : 2 * ELEMENTS;
      for (let at = ELEMENTS; page.length > 0; at += ELEMENTS) {
        yield { ...line, values: page };
        if (page.length < full) return;
        const next = isList
          ? await redis.lrangeBuffer(key, at, at + ELEMENTS - 1)
          : await redis.zrangeBuffer(key, String(at), String(at + ELEMENTS - 1), "WITHSCORES");
        page = encodeAll(next);
      }
      return;
    }
    default:
      throw new TypeError(`unknown type ${type satisfies never}`);
  }
}

const Entries = z.array(z.tuple([z.instanceof(Buffer), z.array(z.instanceof(Buffer))]));

function* cut(line: Omit<RecordLine, "values">, values: readonly Value[], pairs: number): Generator<RecordLine> {
  for (let at = 0; at < values.length; at += 2 * pairs) yield { ...line, values: values.slice(at, at + 2 * pairs) };
}

/** A hash as ioredis gives it: an object of buffers. */
function sortedPairs(hash: unknown): Value[] {
  const fields = z.record(z.string(), z.instanceof(Buffer)).parse(hash);
  return Object.keys(fields)
    .sort()
    .flatMap((field): Value[] => [field, encode(fields[field])]);
}

const encodeAll = (values: unknown): Value[] => z.array(z.unknown()).parse(values).map(encode);

function encode(value: unknown): Value {
  if (!(value instanceof Buffer)) return String(value);
  const text = value.toString("utf8");
  // What is no UTF-8 was replaced by this sign, which may also stand in a text of its own right.
  if (!text.includes("\uFFFD") || Buffer.from(text).equals(value)) return text;
  return { base64: value.toString("base64") };
}

function decode(value: Value): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value.base64, "base64");
}

function byText(a: Value, b: Value): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

async function answers(pipeline: ChainableCommander): Promise<unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error !== null) throw new RuntimeError("Redis could not read or write the records", { cause: error });
    return answer;
  });
}

/** The lines of a file of them. @throws RuntimeError for one that is none. */
export async function* parseRecords(content: AsyncIterable<Buffer>): AsyncGenerator<RecordLine, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of content) {
    const texts = (rest + decoder.write(chunk)).split("\n");
    rest = texts.pop() ?? "";
    for (const text of texts) yield parseLine(text);
  }
  if (rest !== "")
    throw new RuntimeError("the records of the backup end in the middle of a line", { retryable: false });
}

function parseLine(text: string): RecordLine {
  try {
    return RecordLine.parse(JSON.parse(text));
  } catch (cause) {
    throw new RuntimeError("a record of the backup cannot be read", { cause, retryable: false });
  }
}

/**
 * Writes them to a Redis that has none of them. @param fading false: what fades by itself stays, so that all of it can be compared.
 * @returns how many keys.
 */
export async function writeRecords(
  redis: Redis,
  lines: AsyncIterable<RecordLine>,
  { fading = true }: { fading?: boolean } = {},
): Promise<number> {
  let pipeline = redis.pipeline();
  let bytes = 0;
  let keys = 0;
  let last: string | undefined;
  for await (const line of lines) {
    if (line.key !== last) keys += 1;
    last = line.key;
    put(pipeline, line);
    if (fading && line.expiresAt !== undefined) pipeline.pexpireat(line.key, line.expiresAt);
    bytes += line.values.reduce((sum, value) => sum + (typeof value === "string" ? value : value.base64).length, 64);
    if (bytes < SENT_BYTES) continue;
    await answers(pipeline);
    pipeline = redis.pipeline();
    bytes = 0;
  }
  await answers(pipeline);
  return keys;
}

function put(pipeline: ChainableCommander, { key, type, values }: RecordLine): void {
  const [first = "", ...rest] = values.map(decode);
  switch (type) {
    case "string":
      pipeline.set(key, first);
      return;
    case "list":
      pipeline.rpush(key, first, ...rest);
      return;
    case "set":
      pipeline.sadd(key, first, ...rest);
      return;
    case "hash":
      pipeline.hset(key, first, ...rest);
      return;
    case "zset": {
      const members = [first, ...rest];
      const scored = members.flatMap((member, index) => (index % 2 === 0 ? [String(members[index + 1]), member] : []));
      pipeline.zadd(key, ...scored);
      return;
    }
    case "stream":
      pipeline.xadd(key, String(first), ...rest);
      return;
    default:
      throw new TypeError(`unknown type ${type satisfies never}`);
  }
}

/** As it stands in a file. */
export function lineOf(record: RecordLine): string {
  return `${JSON.stringify(record)}\n`;
}
