/** The Docker Engine as a container runtime. */
import type { ContainerRuntime, EngineInfo } from "../../src/runtime.ts";
import { buildImage, preferredBuilder } from "./build.ts";
import { Engine } from "./engine.ts";
import { findContainers } from "./find.ts";
import { imageId, listImages, pullImage, removeImage, tagImage } from "./images.ts";
import { createNetwork, findNetworks, removeNetwork } from "./networks.ts";
import { snapshot } from "./snapshot.ts";
import { startContainer } from "./start.ts";
import { createVolume, findVolumes, removeVolume } from "./volumes.ts";

/**
 * The Engine at `address` (`unix:///…` or `tcp://…`), by default at DOCKER_HOST, else at its usual socket. Opens nothing: an
 * Engine that is away is told by the first call, and one that comes back is used by the next.
 */
export function connectDocker(address: string | undefined): ContainerRuntime {
  const engine = new Engine(address);
  return {
    info: (signal) => info(engine, signal),
    async buildImage(build) {
      const { builder, signal } = build;
      return await buildImage(engine, build, builder === "auto" ? await preferredBuilder(engine, signal) : builder);
    },
    imageId: (reference) => imageId(engine, reference),
    pullImage: (reference, signal, onProgress) => pullImage(engine, reference, signal, onProgress),
    tagImage: (reference, tag) => tagImage(engine, reference, tag),
    listImages: (labels) => listImages(engine, labels),
    removeImage: (reference) => removeImage(engine, reference),
    createNetwork: (name, labels, internal) => createNetwork(engine, name, labels, internal),
    removeNetwork: (name) => removeNetwork(engine, name),
    createVolume: (name, labels) => createVolume(engine, name, labels),
    findVolumes: (labels) => findVolumes(engine, labels),
    removeVolume: (name) => removeVolume(engine, name),
    start: (spec, signal) => startContainer(engine, spec, signal),
    find: (labels) => findContainers(engine, labels),
    findNetworks: (labels) => findNetworks(engine, labels),
    snapshot: ({ id }, made, signal) => snapshot(engine, id, made, signal),
  };
}

/** The kernel's names, and those that images have. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  i686: "386",
};

async function info(engine: Engine, signal: AbortSignal | undefined): Promise<EngineInfo> {
  const [{ ServerVersion, NCPU, MemTotal, DockerRootDir, Architecture }, builder] = await Promise.all([
    engine.ask((docker) => docker.info(), signal),
    preferredBuilder(engine, signal),
  ]);
  return {
    name: "Docker Engine",
    version: ServerVersion,
    cpus: NCPU,
    memoryBytes: MemTotal,
    rootFolder: DockerRootDir,
    architecture: ARCHITECTURES[Architecture] ?? Architecture,
    builder,
  };
}
