/** The testbuilder's image, made from this repository's `testbuilder` folder when the engine does not have it. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { pack } from "tar-stream";
import { RuntimeError } from "../../src/errors.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";

/** Enough for `git gc` and an apt-less build; nothing here compiles. */
const LIMITS = { memoryBytes: 1024 ** 3, cpus: 2 };

export interface TestbuilderImage {
  /** What it is made from, the first of them that the engine has: Debian with git, bash, tar, flock and ssh. */
  readonly bases: readonly [string, ...string[]];
  /** Whose the cache is. */
  readonly uid: number;
  readonly gid: number;
}

/**
 * The tag of the image, `docker-ci/testbuilder:<hash>`; the hash is that of the folder, the base image and the user, so that
 * whatever changes any of them makes a new one.
 */
export async function ensureImage(
  runtime: ContainerRuntime,
  { bases, uid, gid }: TestbuilderImage,
  signal: AbortSignal,
): Promise<string> {
  const [files, { base, baseId }] = await Promise.all([readFolder(), firstOf(runtime, bases)]);
  const content = createHash("sha256").update(`${baseId} ${uid}:${gid}`);
  for (const { name, bytes } of files) content.update(`${name} ${bytes.length}\n`).update(bytes);
  const tag = `docker-ci/testbuilder:${content.digest("hex").slice(0, 16)}`;
  if ((await runtime.imageId(tag)) !== undefined) return tag;

  const context = pack();
  for (const { name, bytes } of files) context.entry({ name, mode: 0o755 }, bytes);
  context.finalize();
  let output = "";
  const result = await runtime.buildImage({
    context: Readable.from(context, { objectMode: false }),
    dockerfile: "Dockerfile",
    tag,
    args: { BASE: base, UID: `${uid}`, GID: `${gid}` },
    target: undefined,
    labels: { "docker-ci.image": "testbuilder" },
    // The steady one; nothing in the Dockerfile asks for more.
    builder: "classic",
    network: "none",
    limits: LIMITS,
    signal,
    onOutput(text) {
      output += text;
    },
  });
  if (result.kind === "failed") {
    throw new RuntimeError(`the testbuilder's image cannot be built: ${result.message}`, { cause: new Error(output) });
  }
  return tag;
}

async function firstOf(
  runtime: ContainerRuntime,
  bases: TestbuilderImage["bases"],
): Promise<{ readonly base: string; readonly baseId: string }> {
  for (const base of bases) {
    const baseId = await runtime.imageId(base);
    if (baseId !== undefined) return { base, baseId };
  }
  const others = bases.slice(1).map((base) => `, and no ${base}`);
  throw new RuntimeError(
    `there is no image ${bases[0]}${others.join("")}, which the testbuilder is made from; ./setup.sh makes the one, \`docker build -t docker-ci/testbuilder testbuilder\` the other`,
  );
}

async function readFolder(): Promise<readonly { name: string; bytes: Buffer }[]> {
  const folder = findFolder();
  const names = (await readdir(folder)).toSorted();
  return await Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) })));
}

/** Beside `adapters` in the sources, one further up from the compiled files in `dist`. */
function findFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, "testbuilder", "Dockerfile"))) return join(folder, "testbuilder");
  }
  throw new RuntimeError("the folder testbuilder is missing from docker-ci's installation", { retryable: false });
}
