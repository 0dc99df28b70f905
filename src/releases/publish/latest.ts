/** The one small object that says which version is the latest. A reader sees the old version or the new one, and nothing between. */
import type { Readable } from "node:stream";
import type { ReleaseConfig } from "../../config.ts";
import { RuntimeError } from "../../errors.ts";
import type { ProjectName } from "../../names.ts";
import type { ObjectStore } from "../../object-store.ts";
import { Version } from "../release.ts";
import { latestKeyOf } from "./layout.ts";

/** A version has 64 characters at most; what is longer is something else. */
const LATEST_BYTES_MAX = 1_024;
const NEVER = new AbortController().signal;

export interface Latest {
  readonly version: Version;
  /** For the put that moves it on. */
  readonly etag: string;
}

/**
 * What `latest` says; undefined where nothing was published yet.
 * @throws RuntimeError for a bucket that does not answer, or an object that names no version.
 */
export async function readLatest(
  store: ObjectStore,
  config: ReleaseConfig,
  project: ProjectName,
  { of = "release", signal = NEVER }: { readonly of?: "release" | "nightly"; readonly signal?: AbortSignal } = {},
): Promise<Latest | undefined> {
  const key = latestKeyOf(config, project, of);
  const found = await store.get(key, signal);
  if (found === undefined) return undefined;
  const version = Version.safeParse((await readStart(found.content)).trim());
  if (version.success) return { version: version.data, etag: found.etag };
  throw new RuntimeError(`${store.name}/${key} names no version`, { retryable: false });
}

/** Over what was read before, and nothing else. @throws PreconditionError when somebody else moved it meanwhile. */
export async function writeLatest(
  store: ObjectStore,
  key: string,
  { version, before }: { readonly version: Version; readonly before: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const onlyIf = before === undefined ? ("absent" as const) : { etag: before };
  await store.put(key, Buffer.from(`${version}\n`), { contentType: "text/plain; charset=utf-8", onlyIf }, signal);
}

async function readStart(content: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LATEST_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString().slice(0, LATEST_BYTES_MAX);
}
