/** Records, a corner of the real engine and a data folder in which builds have left what builds leave. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { buildLabels, imageLabels, type Workshop, workFolder } from "../../src/builds/tidy.ts";
import { imageTag } from "../../src/pipeline/image-tag.ts";
import { never, openCorner } from "./docker.ts";
import { openRecords } from "./records.ts";

export async function openWorkshop() {
  const records = await openRecords();
  const corner = openCorner();
  const config = { dataDir: records.dataDir };
  const instance = corner.name("instance");
  const scene: Workshop = { ...records, config, runtime: corner.runtime, instance };
  const folderOf = (build: Build) => workFolder(config, build.number);
  return {
    ...records,
    scene,
    corner,
    folderOf,
    /** A container, a network and a checkout, as a build has them. */
    async litter(build: Build): Promise<void> {
      const labels = { ...corner.labels, ...buildLabels(instance, build) };
      await corner.runtime.createNetwork(corner.name(`net-${build.number}`), labels, true);
      await corner.runtime.start(corner.spec("sleep 60", { labels }), never);
      await mkdir(folderOf(build), { recursive: true });
      await writeFile(join(folderOf(build), "tree.tar"), "");
    },
    /** A cache of the build alone. */
    async keepCache(build: Build): Promise<void> {
      const labels = { ...corner.labels, ...buildLabels(instance, build) };
      await corner.runtime.createVolume(corner.name(`cache-${build.number}`), labels);
    },
    async buildImage(build: Build, lines: string): Promise<void> {
      const labels = { ...corner.labels, ...imageLabels(instance, build.project) };
      const tag = imageTag("hello", `${instance}-${build.number}`, "image");
      expect((await corner.runtime.buildImage(corner.build(lines, { labels, tag }))).kind).toBe("built");
    },
    /** The number and the step of each image with a name. */
    async images(): Promise<string[]> {
      const found = await corner.runtime.listImages(corner.labels);
      const names = found.map(({ reference }) => reference).filter((reference) => !reference.startsWith("sha256:"));
      return names.map((name) => name.replace(`docker-ci/hello:${instance}-`, "")).toSorted();
    },
    /** Numbers of the builds that have something on the engine. */
    async owners(): Promise<string[]> {
      const found = await corner.runtime.find(corner.labels);
      const networks = await corner.runtime.findNetworks(corner.labels);
      const volumes = await corner.runtime.findVolumes(corner.labels);
      const labels = [
        ...found.map(({ container }) => container.labels),
        ...[...networks, ...volumes].map((other) => other.labels),
      ];
      return labels.map((label) => label["docker-ci.build"] ?? "").toSorted();
    },
    async [Symbol.asyncDispose]() {
      await corner[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}
