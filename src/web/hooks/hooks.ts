/**
 * Where webhooks come in: `/change_hook/github` and its like, and the same under `/hooks/`. They are signed, so nobody logs in to
 * them; what is not signed, or is none of ours, is told so in one sentence and does nothing.
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { ForgeKind } from "../../config.ts";
import type { Heard, HookRequest } from "../../forge.ts";
import { isRedisAway } from "../../queue/redis.ts";
import type { Change } from "../../triggers/change.ts";
import type { WebDeps } from "../deps.ts";
import { clientOf } from "../login/address.ts";
import { createFailures } from "../login/failures.ts";
import { BODY_BYTES_MAX, type Body, createBodyReader } from "./body.ts";
import type { HookInbox } from "./inbox.ts";

export interface Hooks {
  read(forge: ForgeKind, request: HookRequest): Promise<Heard>;
  readonly inbox: Pick<HookInbox, "put">;
}

export type HookDeps = Pick<WebDeps, "config" | "clock" | "log"> & { readonly hooks: Hooks };

/** So many refused ones an address has in a minute, then they are answered with less work and without a line in the log. */
const REFUSED_ALLOWED = 20;
/**
 * What is still read from an address that has had them, and taken if it is signed: anybody can point a hook of theirs here, which
 * then comes from the same addresses as those of the team.
 */
const SUSPECT_BYTES_MAX = 256 * 1024;
const RETRY_S = 60;

const UNREAD: Readonly<Record<Exclude<Body["kind"], "read">, readonly [400 | 413 | 503, string]>> = {
  "too large": [413, `A webhook has ${BODY_BYTES_MAX / 1024 ** 2} MiB at most.`],
  incomplete: [400, "The body did not come as a whole, or not in time."],
  "too many": [503, "Too much comes in at once. Try again in a minute."],
};

/** To be mounted before whatever asks who somebody is. */
export function hookRoutes({ config, clock, log, hooks }: HookDeps): Hono {
  const app = new Hono();
  const bodies = createBodyReader();
  const failures = createFailures(clock, REFUSED_ALLOWED);

  async function receive(forge: ForgeKind, c: Context): Promise<Response> {
    const address = clientOf(c, config.web.trustedProxy);
    const waitS = failures.waitS(address);
    const body = await bodies.read(c.req.raw, waitS === undefined ? BODY_BYTES_MAX : SUSPECT_BYTES_MAX);
    if (body.kind !== "read") {
      const [status, reason] = UNREAD[body.kind];
      return status === 503 ? later(c, reason) : refuse(c, { forge, address, waitS, status, reason });
    }
    const heard = await hooks.read(forge, { headers: c.req.raw.headers, body: body.bytes, config, now: clock.now() });
    switch (heard.kind) {
      case "refused":
        return refuse(c, { forge, address, waitS, ...heard });
      case "nothing":
        return c.text(`${heard.reason}\n`);
      case "changes":
        return take(c, forge, heard);
      default:
        return heard satisfies never;
    }
  }

  async function take(c: Context, forge: ForgeKind, heard: Extract<Heard, { kind: "changes" }>): Promise<Response> {
    const outcome = await hooks.inbox.put(forge, heard);
    switch (outcome) {
      case "known":
        return c.text("This was taken before; nothing more is done.\n");
      case "full":
        log.warn({ forge, delivery: heard.delivery }, "a webhook was not taken: too many changes wait");
        return later(c, "Too many changes wait to be acted on. Deliver this again in a minute.");
      case "written":
        return c.text(`Taken: ${heard.changes.map(shown).join(", ")}.\n`, 202);
      default:
        return outcome satisfies never;
    }
  }

  function refuse(
    c: Context,
    {
      waitS,
      reason,
      ...rest
    }: {
      readonly forge: ForgeKind;
      readonly address: string;
      readonly waitS: number | undefined;
      readonly status: 400 | 401 | 404 | 413;
      readonly reason: string;
    },
  ): Response {
    failures.add(rest.address);
    if (waitS !== undefined) {
      c.header("retry-after", String(waitS));
      return c.text(`Too many webhooks from ${rest.address} were refused. Try again in ${waitS} s.\n`, 429);
    }
    // Never what it held (O-46).
    log.warn({ ...rest, reason }, "a webhook was refused");
    return c.text(`${reason}\n`, rest.status);
  }

  for (const forge of ["github", "gitea", "gitlab"] as const) {
    for (const path of [`/change_hook/${forge}`, `/hooks/${forge}`]) {
      app.use(path, plainHeaders);
      app.post(path, (c) => receive(forge, c));
      app.all(path, (c) => c.text("Webhooks come in here, with POST.\n", 405, { allow: "POST" }));
    }
  }
  app.all("/change_hook/*", plainHeaders, (c) =>
    c.text("Webhooks come in at /change_hook/github, /gitea and /gitlab.\n", 404),
  );
  app.onError((error, c) => {
    log.error({ err: error, path: c.req.path }, "a webhook could not be answered");
    return isRedisAway(error)
      ? later(c, "Redis does not answer at the moment. Deliver this again in a minute.")
      : c.text("That went wrong on our side; the log has the details.\n", 500);
  });
  return app;
}

/** A site that is nothing but the webhooks. */
export function createHookSite(deps: HookDeps): Hono {
  const app = new Hono();
  app.route("/", hookRoutes(deps));
  app.notFound((c) => c.text("There is nothing here but webhooks.\n", 404));
  return app;
}

/** The pages' own headers are set later, and not for these. */
const plainHeaders: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("x-content-type-options", "nosniff");
  c.header("cache-control", "no-store");
};

function later(c: Context, sentence: string): Response {
  c.header("retry-after", String(RETRY_S));
  return c.text(`${sentence}\n`, 503);
}

/** `push of main to docker-registry` */
function shown(change: Change): string {
  switch (change.kind) {
    case "push":
      return `push of ${change.branch} to ${change.project}`;
    case "tag":
      return `tag ${change.tag} of ${change.project}`;
    case "pull_request":
      return `PR#${change.number} of ${change.project} ${change.action}`;
    case "comment":
      return `/${change.command} on PR#${change.number} of ${change.project}`;
    default:
      return change satisfies never;
  }
}
