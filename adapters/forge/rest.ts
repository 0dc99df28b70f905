/** One call of a forge's REST API: bounded in time and size, redirected no further than to itself, with its token in no error. */
import { z } from "zod";
import type { Secret } from "../../src/config.ts";
import { describeError, RuntimeError } from "../../src/errors.ts";
import { type Asked, readRefusal } from "./answer.ts";

const TIMEOUT_MS = 20_000;
const ANSWER_BYTES_MAX = 4 * 1024 ** 2;
/** A repository that was renamed twice. */
const REDIRECTS = 3;

export interface RestSite {
  /** Without a slash at its end. */
  readonly url: string;
  /** As people call it: its host. */
  readonly name: string;
  readonly token: Secret;
  /** The word before the token: `Bearer`, `token`. */
  readonly scheme: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What it is called by: `docker-ci 1.0.0`. GitHub refuses calls without it. */
  readonly userAgent: string;
  readonly timeoutMs?: number;
}

export interface Call<T> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** Below the site's address, with its slash; every part of it encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** What a good answer looks like. */
  readonly answer: z.ZodType<T>;
  /** What it means that there is no such thing, where that is an answer. */
  readonly absent?: T;
  /** `owner/name`, for the sentence of a refusal. */
  readonly repository: string;
  readonly signal: AbortSignal;
}

export type Rest = <T>(call: Call<T>) => Promise<T>;

/** For whoever does not care. */
export const Anything = z.unknown();

/** The function throws RuntimeError, a ForgeLimit among them. */
export function openRest(site: RestSite): Rest {
  const { name, token } = site;
  return async ({ method, path, body, answer, absent, repository, signal }) => {
    const asked: Asked = { forge: name, repository };
    const late = AbortSignal.timeout(site.timeoutMs ?? TIMEOUT_MS);
    let status: number;
    let text: string;
    try {
      const response = await follow(site, path, {
        method,
        headers: {
          ...site.headers,
          authorization: `${site.scheme} ${token.reveal()}`,
          "user-agent": site.userAgent,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, late]),
      });
      status = response.status;
      text = await bounded(response);
      if (status === 404 && absent !== undefined) return absent;
      if (!response.ok) throw readRefusal(response, text.replaceAll(token.reveal(), "[secret]"), asked, new Date());
    } catch (error) {
      if (error instanceof RuntimeError) throw error;
      if (late.aborted) throw new RuntimeError(`${name} does not answer in time`);
      // Without its cause: of a token that is no header, fetch quotes it.
      throw new RuntimeError(`${name} cannot be reached (${reason(error).replaceAll(token.reveal(), "[secret]")})`);
    }
    const read = answer.safeParse(parsed(text));
    if (read.success) return read.data;
    throw new RuntimeError(`${name} answers ${status} with something that cannot be read`, { cause: read.error });
  };
}

/**
 * By hand: `fetch` makes a GET of a POST that is redirected with 301, which is how a repository that was renamed answers, and would
 * take the token to another host.
 */
async function follow({ url, name }: RestSite, path: string, init: RequestInit): Promise<Response> {
  let at = new URL(`${url}${path}`);
  for (let redirects = 0; ; redirects += 1) {
    const response = await fetch(at, { ...init, redirect: "manual" });
    const location = response.headers.get("location");
    if (![301, 302, 307, 308].includes(response.status) || location === null) return response;
    await response.body?.cancel();
    const next = URL.canParse(location, at) ? new URL(location, at) : undefined;
    if (next?.origin !== at.origin || redirects === REDIRECTS)
      throw new RuntimeError(`${name} sends us elsewhere, where its token is not for`, { retryable: false });
    at = next;
  }
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (response.body !== null) {
    for await (const chunk of response.body) {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX) throw new Error("its answer is too long");
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON fits no schema but that of whoever does not care.
    return undefined;
  }
}

/** `connect ECONNREFUSED 127.0.0.1:3000`; fetch says "fetch failed" and means its cause. */
function reason(error: unknown): string {
  return describeError(error instanceof TypeError && error.cause !== undefined ? error.cause : error);
}
