/** One container of the testbuilder, kept running between builds and made again when it is gone. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { Logger } from "pino";
import type { ContainerRuntime, ContainerSpec, Mount, RunningContainer } from "../../src/runtime.ts";
import { ensureImage, type TestbuilderImage } from "./image.ts";

const LABEL = "docker-ci.testbuilder";
const CONFIGURATION_LABEL = "docker-ci.testbuilder.configuration";

export interface WarmOptions {
  readonly runtime: ContainerRuntime;
  readonly image: TestbuilderImage;
  readonly instance: string;
  readonly cacheVolume: string;
  readonly sshFolder: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/** Safe for concurrent use. Nothing is started before the first `get`. */
export class WarmContainer {
  readonly #options: WarmOptions;
  /** Only ever grows: a container that sees too much of the repositories will do, one that sees too little will not. */
  readonly #repositories = new Set<string>();
  #current: Promise<RunningContainer> | undefined;

  constructor(options: WarmOptions) {
    this.#options = options;
  }

  /** The container, in which each of these folders that exists can be read at its own path. */
  async get(repositories: readonly string[], signal: AbortSignal): Promise<RunningContainer> {
    const missing = repositories.filter((path) => !this.#repositories.has(path) && existsSync(path));
    if (missing.length > 0) {
      for (const path of missing) this.#repositories.add(path);
      this.#current = undefined;
    }
    // Shared by all who ask meanwhile, so it does not end with the signal of the one who came first.
    this.#current ??= this.#ensure();
    const current = this.#current;
    try {
      return await current;
    } catch (error) {
      this.forget(current);
      throw error;
    } finally {
      signal.throwIfAborted();
    }
  }

  /** Makes the next `get` look again, and start another if need be. */
  forget(container: Promise<RunningContainer> | undefined = this.#current): void {
    if (this.#current === container) this.#current = undefined;
  }

  async remove(): Promise<void> {
    this.#current = undefined;
    const found = await this.#options.runtime.find({ [LABEL]: this.#options.instance });
    await Promise.all(found.map(({ container }) => container.remove()));
  }

  /** One that an earlier process left, when it is as we would make it; else a new one. */
  async #ensure(): Promise<RunningContainer> {
    const { runtime, image, instance, log } = this.#options;
    const started = Date.now();
    const tag = await ensureImage(runtime, image, new AbortController().signal);
    const spec = this.#spec(tag);
    const found = await runtime.find({ [LABEL]: instance });
    const usable = found.find(
      ({ container, state }) =>
        state === "running" && container.labels[CONFIGURATION_LABEL] === spec.labels[CONFIGURATION_LABEL],
    );
    if (usable !== undefined) return usable.container;
    await Promise.all(found.map(({ container }) => container.remove()));
    const container = await runtime.start(spec, new AbortController().signal);
    log.info({ container: container.name, tookMs: Date.now() - started }, "testbuilder started");
    return container;
  }

  #spec(image: string): ContainerSpec {
    const { instance, cacheVolume, sshFolder, env } = this.#options;
    const { uid, gid } = this.#options.image;
    const mounts: Mount[] = [{ source: cacheVolume, target: "/cache", readOnly: false }];
    for (const path of [...this.#repositories].toSorted()) mounts.push({ source: path, target: path, readOnly: true });
    if (sshFolder !== undefined) mounts.push({ source: sshFolder, target: "/home/docker-ci/.ssh", readOnly: true });
    const user = `${uid}:${gid}`;
    const configuration = createHash("sha256").update(JSON.stringify({ image, mounts, user, env })).digest("hex");
    return {
      name: `docker-ci-testbuilder-${instance}`,
      image,
      command: undefined,
      env,
      labels: { [LABEL]: instance, [CONFIGURATION_LABEL]: configuration },
      limits: { memoryBytes: 2 * 1024 ** 3, cpus: 4, pids: 512, logBytes: 1024 ** 2 },
      // The host's own: an address (localhost, a name in /etc/hosts, a VPN) should mean here what it means in the
      // operator's shell, and only git runs in it, never anything of a project's.
      network: "host",
      privileged: false,
      mounts,
      user,
    };
  }
}
