/** The real Engine for tests: what a test makes bears a label of its own, and is gone when the test is over. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { connectDocker } from "../../adapters/docker/index.ts";
import type { ContainerRuntime, ContainerSpec, ImageBuild, RunningContainer } from "../../src/runtime.ts";
import { OUTPUT_START, type OutputPosition } from "../../src/runtime.ts";

/** Debian with a shell, git and node; setup.sh makes it. */
export const BASE_IMAGE = process.env.DOCKER_CI_TEST_BASE ?? "docker-ci/base";

export const never = new AbortController().signal;

/** A corner of the Engine: names, labels, and the removal of everything that carries them. */
export interface Corner extends AsyncDisposable {
  readonly runtime: ContainerRuntime;
  readonly labels: Readonly<Record<string, string>>;
  name(what: string): string;
  /** A small container that runs a shell line. */
  spec(line: string, changes?: Partial<ContainerSpec>): ContainerSpec;
  /** A build of a Dockerfile that begins with three lines: the base image, the label, and what keeps other tests' caches away. */
  build(lines: string, changes?: Partial<ImageBuild>, files?: Readonly<Record<string, string>>): ImageBuild;
}

export function openCorner(runtime: ContainerRuntime = connectDocker(undefined)): Corner {
  const id = randomBytes(6).toString("hex");
  const labels = { "docker-ci.test": id };
  const name = (what: string) => `docker-ci-test-${id}-${what}`;
  let count = 0;
  const next = () => {
    count += 1;
    return name(`${count}`);
  };
  return {
    runtime,
    labels,
    name,
    spec: (line, changes = {}) => ({
      name: next(),
      image: BASE_IMAGE,
      command: ["sh", "-ec", line],
      env: {},
      labels,
      limits: { memoryBytes: 256 * 1024 ** 2, cpus: 2, pids: 200, logBytes: 64 * 1024 ** 2 },
      network: "none",
      privileged: false,
      mounts: [],
      ...changes,
    }),
    build: (lines, changes = {}, files = {}) => ({
      context: tarOf({
        Dockerfile: `FROM ${BASE_IMAGE}\nLABEL docker-ci.test=${id}\nENV CORNER=${id}\n${lines}\n`,
        ...files,
      }),
      dockerfile: "Dockerfile",
      tag: `${name("image")}:latest`,
      args: {},
      target: undefined,
      labels,
      builder: "auto",
      network: "none",
      limits: { memoryBytes: 512 * 1024 ** 2, cpus: 2 },
      signal: never,
      onOutput: () => undefined,
      ...changes,
    }),
    async [Symbol.asyncDispose]() {
      const containers = await runtime.find(labels);
      await Promise.all(containers.map(({ container }) => container.remove()));
      for (const network of await runtime.findNetworks(labels)) await runtime.removeNetwork(network.name);
      for (const volume of await runtime.findVolumes(labels)) await runtime.removeVolume(volume.name);
      for (const image of await runtime.listImages(labels)) await runtime.removeImage(image.reference);
    },
  };
}

/** A tar of these files. */
export function tarOf(files: Readonly<Record<string, string>>): Readable {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
  tar.finalize();
  return Readable.from(tar, { objectMode: false });
}

/** Both streams of a container from `from` on, to the end or to `enough`. */
export async function readOutput(
  container: RunningContainer,
  {
    from = OUTPUT_START,
    enough = () => false,
  }: { from?: OutputPosition; enough?: (soFar: OutputPosition) => boolean } = {},
): Promise<{ stdout: Buffer; stderr: Buffer; position: OutputPosition }> {
  const chunks: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] };
  const position = { ...from };
  for await (const { stream, bytes } of container.output(from, never)) {
    chunks[stream].push(bytes);
    position[stream] += bytes.length;
    if (enough(position)) break;
  }
  return { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr), position };
}

/** All of a stream. */
export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
