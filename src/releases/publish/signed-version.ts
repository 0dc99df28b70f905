/** The files of a version with all that is published beside them: sums, manifest, signatures and the public key. */
import { join } from "node:path";
import { artifactsFolder } from "../../builds/pipeline-of-build.ts";
import { RuntimeError } from "../../errors.ts";
import { dayOf } from "../../report/days.ts";
import type { SigningKey } from "../../signer.ts";
import { checksumFiles } from "./checksums.ts";
import { type CollectedFile, chooseFiles, sumFiles } from "./collect.ts";
import { indexTexts } from "./index-texts.ts";
import { isNight } from "./layout.ts";
import {
  KEY,
  MANIFEST,
  MANIFEST_SIGNATURE,
  makeManifest,
  manifestText,
  OWN_NAMES,
  SUMS,
  SUMS_SIGNATURE,
  sha256Of,
  sumsText,
} from "./manifest.ts";
import { pointersFor } from "./pointers.ts";
import { type Publication, RefusedError } from "./scene.ts";
import { passedBuild } from "./step-build.ts";
import type { Upload } from "./upload.ts";

const TEXT = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const JSON_TYPE = "application/json";
const ARMOUR = "application/pgp-signature";

/** Read from the folder of the build, which no one changes any more: done again, it comes to the same. */
export async function collect(publication: Publication): Promise<readonly CollectedFile[]> {
  const { release, config, scene, signal, place } = publication;
  const build = await passedBuild(publication);
  const { project, version } = release.plan;
  const date = isNight(version) ? version : dayOf(new Date(release.requestedAt), "Etc/UTC");
  const artifacts = build.steps.flatMap((step) => step.artifacts ?? []);
  const names = { project, version, date };
  const chosen = chooseFiles(artifacts, config, names, build.number);
  await scene.bring?.(build.number, "artifacts");
  const folder = folderOf(scene.config.dataDir, build.number);
  try {
    const texts = await indexTexts({ config, place, artifacts, folder, names });
    const files = await sumFiles(folder, chosen, config.checksums, signal);
    return withTexts(files, texts);
  } catch (error) {
    if (scene.bring === undefined || !(error instanceof RuntimeError)) throw error;
    // It may still be on its way.
    throw new RuntimeError(error.message, { cause: error });
  }
}

/** In the order of their names. @throws RuntimeError for a name that a file has. */
function withTexts(files: readonly CollectedFile[], texts: readonly CollectedFile[]): CollectedFile[] {
  const names = new Set([...files.map(({ name }) => name), ...OWN_NAMES]);
  for (const { name } of texts) {
    if (names.has(name)) throw new RuntimeError(`the index ${name} has the name of a file`, { retryable: false });
    names.add(name);
  }
  return [...files, ...texts].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * All of it in the order in which it is put: the manifest last, so that a version without one was not finished. The texts are of the
 * records and the files alone, and come to the same each time; a signature has a time in it, so an older one that is good will do.
 */
export async function sign(publication: Publication, files: readonly CollectedFile[]): Promise<readonly Upload[]> {
  const { signer, signal, release, config, place } = publication;
  const build = await passedBuild(publication);
  const key = await signer?.key(signal);
  if (key?.fingerprint !== release.plan.key) throw new RefusedError("the key to sign with was changed");
  const keyText = key === undefined ? undefined : Buffer.from(`${key.publicKey.trimEnd()}\n`);
  const manifest = makeManifest({
    release,
    startedAt: release.state.startedAt,
    build: { number: build.number, finishedAt: build.state.finishedAt },
    key: key && keyText && { fingerprint: key.fingerprint, sha256: sha256Of(keyText) },
    files,
    checksums: config.checksums,
    pointers: pointersFor(place, config, { project: release.plan.project, files, checksums: [...config.checksums] }),
  });
  const sums = Buffer.from(sumsText(files));
  const text = Buffer.from(manifestText(manifest));
  return [
    ...files.map(
      ({ name, bytes, sha256, key: at, open }): Upload => ({
        ...{ name, bytes, sha256, open },
        ...(at === undefined ? {} : { contentType: /\.html?$/.test(name) ? HTML : TEXT }),
      }),
    ),
    ...files
      .flatMap((file) => checksumFiles(file, manifest))
      .map(({ name, text: sum }) => textUpload(name, Buffer.from(sum), TEXT)),
    textUpload(SUMS, sums, TEXT),
    ...(key === undefined || keyText === undefined
      ? []
      : [
          textUpload(KEY, keyText, "application/pgp-keys"),
          await signature(publication, key, SUMS_SIGNATURE, sums),
          await signature(publication, key, MANIFEST_SIGNATURE, text),
        ]),
    textUpload(MANIFEST, text, JSON_TYPE),
  ];
}

async function signature(
  { signer, signal, scene }: Publication,
  key: SigningKey,
  name: string,
  of: Buffer,
): Promise<Upload> {
  if (signer === undefined) throw new RuntimeError("there is no key to sign with", { retryable: false });
  const armoured = await signer.sign(of, signal);
  return {
    ...textUpload(name, Buffer.from(armoured), ARMOUR),
    async accepts(content) {
      return (await scene.verifySignature(of, content.toString(), key.publicKey, signal)).kind === "good";
    },
  };
}

function textUpload(name: string, content: Buffer, contentType: string): Upload {
  return { name, bytes: content.length, sha256: sha256Of(content), contentType, open: async () => content };
}

function folderOf(dataDir: string, build: number): string {
  return join(artifactsFolder(dataDir), String(build));
}
