/**
 * A build's log as server-sent events: `chunk` (text as JSON, its id the byte behind it), `gap` (what lies between is in the log
 * only), `build` (its record changed) and at last `end` with the state.
 */
import type { Context } from "hono";
import { type Build, isFinished } from "../../builds/build.ts";
import type { LiveChunk } from "../../builds/live-log.ts";
import type { BuildNumber } from "../../names.ts";
import type { WebDeps } from "../deps.ts";

/** A record is looked up this often at the most, for all who follow its log together. */
const RECORD_AGE_MS = 400;
const FORGOTTEN_MS = 60_000;
/** A connection over which nothing goes is closed by what stands in between. */
const SIGN_OF_LIFE_MS = 15_000;

export function createFollow({ builds, openLog, followLog }: Pick<WebDeps, "builds" | "openLog" | "followLog">) {
  const recent = new Map<number, { readonly at: number; readonly build: Promise<Build> }>();
  const texts = new WeakMap<readonly LiveChunk[], Uint8Array>();

  function lookUp(number: BuildNumber): Promise<Build> {
    const now = performance.now();
    const known = recent.get(number);
    if (known !== undefined && now - known.at < RECORD_AGE_MS) return known.build;
    const build = builds.get(number);
    recent.set(number, { at: now, build });
    for (const [each, { at }] of recent) if (now - at > FORGOTTEN_MS) recent.delete(each);
    return build;
  }

  /** Said once for all who are equally far. */
  function eventOf(chunks: readonly LiveChunk[]): Uint8Array {
    const known = texts.get(chunks);
    if (known !== undefined) return known;
    const text = chunks.map((chunk) => chunk.text).join("");
    const event = encode("chunk", JSON.stringify(text), chunks.at(-1)?.end);
    texts.set(chunks, event);
    return event;
  }

  return (c: Context, build: Build): Response => {
    c.header("content-type", "text/event-stream; charset=utf-8");
    c.header("cache-control", "no-cache, no-transform");
    // nginx would hold it back.
    c.header("x-accel-buffering", "no");
    const after = placeOf(c.req.header("last-event-id") ?? c.req.query("after"));
    const gone = new AbortController();
    // What the page shows may be older than this connection.
    const told = c.req.query("told") ?? factsOf(build);
    return c.body(pulled(eventsOf(build, { after, told }, gone.signal), () => gone.abort()));
  };

  async function* eventsOf(
    build: Build,
    known: { readonly after: number | undefined; readonly told: string },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { after } = known;
    if (isFinished(build)) {
      const kept = after === undefined ? await openLog(build.number) : undefined;
      kept?.setEncoding("utf8");
      for await (const text of kept ?? []) yield encode("chunk", JSON.stringify(text));
      yield encode("end", build.state.kind);
      return;
    }
    let { told } = known;
    let isOver = false;
    let spokeAt = performance.now();
    yield encode("hello", "");
    for await (const event of followLog(build.number, signal, after)) {
      if (event.kind === "chunks") yield eventOf(event.chunks);
      if (event.kind === "gap") yield encode("gap", JSON.stringify({ from: event.from, to: event.to }));
      const now = await lookUp(build.number).catch(() => undefined);
      // Redis is away: the log goes on when it is back.
      if (now === undefined) continue;
      // What was written before the record's end is read by the time that nothing more comes.
      if (event.kind === "idle" && isOver) {
        yield encode("end", now.state.kind);
        return;
      }
      isOver = isFinished(now);
      if (factsOf(now) !== told) {
        told = factsOf(now);
        yield encode("build", now.state.kind);
      }
      if (event.kind !== "idle") spokeAt = performance.now();
      else if (performance.now() - spokeAt > SIGN_OF_LIFE_MS) {
        spokeAt = performance.now();
        yield new TextEncoder().encode(":\n\n");
      }
    }
  }

  function encode(event: string, data: string, id?: number): Uint8Array {
    return new TextEncoder().encode(`event: ${event}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`);
  }
}

/** A stream that asks for the next piece when the last one is on its way: a slow reader holds up nobody but itself. */
function pulled(pieces: AsyncGenerator<Uint8Array, void, undefined>, stopped: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        stopped();
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What of a record a page shows that may change while it is looked at. */
export function factsOf({ state, attempt, steps }: Build): string {
  return [state.kind, attempt, steps.length, state.kind === "running" ? state.step?.index : ""].join(" ");
}

function placeOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
