/** Clears away nights beyond those that are kept: only what the manifest of that night lists, and the manifest last. */

import { Version } from "../release.ts";
import { namesOf, signedManifest } from "./compare.ts";
import { filled, NIGHTLY_LAYOUT, placeOf } from "./layout.ts";
import { KEY, MANIFEST, MANIFEST_SIGNATURE, SUMS, SUMS_SIGNATURE } from "./manifest.ts";
import type { Publication } from "./scene.ts";
import { latestNow } from "./step-bucket.ts";

/** So many dates in a bucket are looked at, which is more than ten years. */
const NIGHTS_MAX = 5_000;

export async function clearNights(publication: Publication): Promise<void> {
  const { config, store, scene, release, signer, signal } = publication;
  const keep = config.nightly?.keep;
  if (keep === undefined) return;
  const named = (await latestNow(publication))?.version;
  const nights = await nightsIn(publication);
  const trusted = await signer?.key(signal);
  for (const version of nights.toSorted().toReversed().slice(keep)) {
    if (version === named) continue;
    const { project } = release.plan;
    const place = placeOf(config, project, version);
    const served = { store, place, project, version, trusted, verifySignature: scene.verifySignature };
    const signed = await signedManifest(served, signal);
    if ("problem" in signed) {
      scene.log.warn({ project, night: version, reason: signed.problem }, "an old night is left where it is");
      continue;
    }
    const files = namesOf(signed.manifest);
    for (const name of [...files, SUMS, SUMS_SIGNATURE, KEY, MANIFEST_SIGNATURE, MANIFEST]) {
      await store.remove(place.prefix + name, signal);
    }
    scene.log.info({ project, night: version, files: files.length }, "an old night was cleared away");
  }
}

/** The dates under which anything stands. */
async function nightsIn({ config, store, release, signal }: Publication): Promise<Version[]> {
  const layout = filled(config.nightly?.layout ?? NIGHTLY_LAYOUT, { project: release.plan.project });
  const at = layout.indexOf("{date}");
  const root = layout.slice(0, at);
  const found = new Set<Version>();
  for await (const { key } of store.list(root, signal)) {
    const version = Version.safeParse(key.slice(at, at + "2026-11-22".length));
    if (!version.success || !key.startsWith(filled(layout, { date: version.data, file: "" }))) continue;
    found.add(version.data);
    if (found.size >= NIGHTS_MAX) break;
  }
  return [...found];
}
