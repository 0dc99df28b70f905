/** Brings what follows `latest` to what the manifest of that version says of it, and compares it with that. */
import { RuntimeError } from "../../errors.ts";
import type { ObjectStore } from "../../object-store.ts";
import { cleanName } from "../../results/clean-name.ts";
import { sumOf } from "./bucket-files.ts";
import { signedManifest } from "./compare.ts";
import { placeOf } from "./layout.ts";
import { type Pointer, pointersFor, pointersOf } from "./pointers.ts";
import type { Publication } from "./scene.ts";
import { servedBy, servedManifest } from "./step-bucket.ts";
import { readWrittenLatest } from "./step-check.ts";

const TEXT = "text/plain; charset=utf-8";

/**
 * Brings what follows `latest` to the version that it names, and takes away what only the version before had. Every object is whole
 * at any moment: the one before, or this one.
 */
export async function movePointers(publication: Publication): Promise<void> {
  const { store, place, signal, config, release } = publication;
  const { manifest } = await servedManifest(publication);
  const { project } = release.plan;
  // One that was published before anything followed `latest` names nothing.
  const pointers = manifest.pointers ?? pointersFor(place, config, { ...manifest, project });
  const now = pointersOf({ ...manifest, pointers }, place);
  for (const pointer of now) {
    if (await stands(store, pointer, signal)) continue;
    await put(store, pointer, signal);
    if (await stands(store, pointer, signal)) continue;
    const message = `${store.name}/${cleanName(pointer.key)} is not as it was put there`;
    throw new RuntimeError(message, { retryable: false });
  }
  const keys = new Set(now.map(({ key }) => key));
  for (const pointer of await pointersBefore(publication)) {
    if (!keys.has(pointer.key) && (await stands(store, pointer, signal))) await store.remove(pointer.key, signal);
  }
}

/** What of them is not as the manifest says, in phrases. */
export async function pointerProblems(
  store: ObjectStore,
  pointers: readonly Pointer[],
  signal: AbortSignal,
): Promise<string[]> {
  const problems: string[] = [];
  for (const pointer of pointers) {
    const { key } = pointer;
    if ((await store.head(key, signal)) === undefined) problems.push(`${cleanName(key)} is missing`);
    else if (!(await stands(store, pointer, signal)))
      problems.push(`${cleanName(key)} is not that of the latest version`);
  }
  return problems;
}

async function stands(
  store: ObjectStore,
  { key, bytes, sha256, content }: Pointer,
  signal: AbortSignal,
): Promise<boolean> {
  const head = await store.head(key, signal);
  if (head?.redirect !== ("redirect" in content ? content.redirect : undefined)) return false;
  return head?.bytes === bytes && (await sumOf(store, key, signal))?.sha256 === sha256;
}

async function put(store: ObjectStore, { key, content, sha256 }: Pointer, signal: AbortSignal): Promise<void> {
  if ("copyOf" in content) return store.copy(content.copyOf, key, signal);
  const options = "redirect" in content ? { redirect: content.redirect } : { contentType: TEXT };
  await store.put(key, Buffer.from("text" in content ? content.text : ""), { ...options, sha256 }, signal);
}

/** Those of the version that `latest` named in the beginning, as far as its manifest can be believed. */
async function pointersBefore(publication: Publication): Promise<Pointer[]> {
  const { release, config, signal } = publication;
  const before = readWrittenLatest(release.state.latestBefore);
  const { project } = release.plan;
  const version = before?.version;
  if (version === undefined || version === release.plan.version) return [];
  const place = placeOf(config, project, version);
  const signed = await signedManifest({ ...(await servedBy(publication)), place, version }, signal);
  return "problem" in signed ? [] : pointersOf(signed.manifest, place);
}
