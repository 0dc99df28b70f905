/** A page's address that is open before there is a page: who asks for it waits until there is one. */
import { setTimeout as sleep } from "node:timers/promises";
import { deferred } from "../lifecycle.ts";
import { type Fetch, type Served, type ServePages, servePages } from "./serve.ts";

/** Gateways give up after half a minute (hipache) or later, and take the backend for dead then. */
const HOLD_MS = 25_000;
const HELD_MAX = 500;
const RETRY_AFTER_S = 5;
/**
 * What looks after a process asks these, and wants no page: health checks of containers and gateways, the last one that of
 * hipache's companion hchecker; and Prometheus.
 */
const ANSWERED_HERE: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics", "/CloudHealthCheck"]);

export interface FrontScene {
  readonly version: string;
  readonly holdMs?: number;
  readonly heldMax?: number;
  /** What it waits for at the moment: for `/healthz` the word, for `/readyz` the reason. */
  state(): { readonly status: string; readonly reason: string };
  /** Called for each request that begins to wait. */
  onHeld(): void;
}

export interface Front extends AsyncDisposable {
  /** How many requests wait. */
  readonly held: number;
  /** From now on the page answers, beginning with the requests that wait. Disposing of what it gives closes the address. */
  answerWith(fetch: Fetch): Served;
}

/** Listens at once. @throws ConfigError when the address is taken or not ours. */
export async function openFront(scene: FrontScene, ...[address, key]: Address): Promise<Front> {
  const { holdMs = HOLD_MS, heldMax = HELD_MAX } = scene;
  const there = deferred<Fetch | undefined>();
  let held = 0;

  const hold: Fetch = async (request, ...more) => {
    if (ANSWERED_HERE.has(new URL(request.url).pathname)) return stateOf(request, scene);
    if (held >= heldMax) return later("too many requests wait already");
    held += 1;
    let page: Fetch | undefined;
    try {
      scene.onHeld();
      page = await Promise.race([there.promise, sleep(holdMs, undefined, { ref: false })]);
    } finally {
      held -= 1;
    }
    // What nobody waits for any more is not done either.
    return page === undefined || request.signal.aborted ? later(scene.state().reason) : page(request, ...more);
  };
  let answer = hold;

  const served = await servePages((...asked) => answer(...asked), address, key);
  return {
    get held() {
      return held;
    },
    answerWith(fetch) {
      answer = fetch;
      there.resolve(fetch);
      return served;
    },
    async [Symbol.asyncDispose]() {
      there.resolve(undefined);
      await served[Symbol.asyncDispose]();
    },
  };
}

type Address = Parameters<ServePages> extends [Fetch, ...infer Rest] ? Rest : never;

function stateOf({ url }: Request, { version, state }: FrontScene): Response {
  const { status, reason } = state();
  const { pathname } = new URL(url);
  const headers = { "cache-control": "no-store" };
  if (pathname === "/readyz") return Response.json({ ready: false, reason }, { status: 503, headers });
  if (pathname === "/metrics") return new Response(`${reason}\n`, { status: 503, headers });
  return Response.json({ status, version }, { headers });
}

function later(reason: string): Response {
  const headers = { "retry-after": String(RETRY_AFTER_S), "cache-control": "no-store" };
  return new Response(`${reason}; try again in a moment.\n`, { status: 503, headers });
}
