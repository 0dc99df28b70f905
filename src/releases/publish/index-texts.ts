/** Texts that say how the latest version is had (O-94): of the build or the configuration, with the bucket's address in them. */
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Bucket, ReleaseConfig } from "../../config.ts";
import { RuntimeError } from "../../errors.ts";
import { cleanName } from "../../results/clean-name.ts";
import type { Artifact } from "../../results/summary.ts";
import { type CollectedFile, openFile } from "./collect.ts";
import { isNight, type Place } from "./layout.ts";
import { sha256Of } from "./manifest.ts";

/** What is longer is no text that people read. */
const TEXT_BYTES_MAX = 1024 ** 2;

export interface IndexScene {
  readonly config: Pick<ReleaseConfig, "index" | "address" | "checksums">;
  readonly place: Place;
  readonly artifacts: readonly Artifact[];
  /** `artifacts/<n>` */
  readonly folder: string;
  readonly names: { readonly project: string; readonly version: string; readonly date: string };
}

/** Nights have none. @throws RuntimeError for a text that the build did not leave. */
export async function indexTexts({ config, place, artifacts, folder, names }: IndexScene): Promise<CollectedFile[]> {
  if (isNight(place.version)) return [];
  const url = config.address ?? addressOf(place.bucket);
  const files: CollectedFile[] = [];
  for (const index of config.index) {
    const template = "text" in index ? index.text : await readArtifact(artifacts, folder, index.from);
    const content = Buffer.from(withNames(template, { ...names, url }));
    const key = withNames(index.to, { project: names.project });
    files.push({
      name: key,
      key,
      bytes: content.length,
      sha256: sha256Of(content),
      ...(config.checksums.includes("md5") ? { md5: createHash("md5").update(content).digest("hex") } : {}),
      open: async () => content,
    });
  }
  return files;
}

/** A shell's `${version}` stays what it is. */
function withNames(template: string, names: Readonly<Record<string, string>>): string {
  return template.replace(/(?<!\$)\{([a-z]+)\}/g, (whole, name: string) => names[name] ?? whole);
}

async function readArtifact(artifacts: readonly Artifact[], folder: string, path: string): Promise<string> {
  const artifact = artifacts.find((each) => each.path === path);
  const problem =
    artifact === undefined
      ? "the build left no such artifact"
      : artifact.bytes > TEXT_BYTES_MAX
        ? "it is too long"
        : "";
  if (problem !== "") {
    throw new RuntimeError(`${cleanName(path)} cannot be an index: ${problem}`, { retryable: false });
  }
  return text(await openFile(folder, path));
}

/** As a browser asks for what is in it. A name with dots fits no certificate in the host's place. */
export function addressOf({ bucket, endpoint, region, pathStyle }: Bucket): string {
  const { protocol, host } = new URL(
    endpoint ?? (region === undefined ? "https://s3.amazonaws.com" : `https://s3.${region}.amazonaws.com`),
  );
  const isInPath = pathStyle || (protocol === "https:" && bucket.includes("."));
  return isInPath ? `${protocol}//${host}/${bucket}` : `${protocol}//${bucket}.${host}`;
}
