/** What builds leave behind on an engine and in the data folder, and when it goes. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import type { BuildNumber } from "../names.ts";
import { buildNumberOf } from "../pipeline/image-tag.ts";
import { removeLeftovers } from "../pipeline/run.ts";
import type { ContainerRuntime } from "../runtime.ts";
import { type Build, isFinished } from "./build.ts";
import type { BuildStore } from "./store.ts";

export interface Workshop {
  readonly config: Pick<Config, "dataDir">;
  readonly runtime: ContainerRuntime;
  readonly store: BuildStore;
  /** Names this docker-ci on an engine that others may use too. */
  readonly instance: string;
  readonly log: Logger;
}

/** Where a build's checkout lies while it runs. */
export function workFolder(config: Pick<Config, "dataDir">, build: number | string): string {
  return join(workFolders(config), String(build));
}

/** Its files, packed. */
export function treeFile(config: Pick<Config, "dataDir">, build: number): string {
  return join(workFolder(config, build), "tree.tar");
}

export const workFolders = ({ dataDir }: Pick<Config, "dataDir">): string => join(dataDir, "docker-ci", "work");

/** What every container and network of a build carries, and every cache that is for it alone. */
export function buildLabels(instance: string, build: Build): Record<string, string> {
  return {
    "docker-ci.instance": instance,
    "docker-ci.build": String(build.number),
    "docker-ci.project": build.project,
  };
}

/** What the images of all builds of a project carry: no number, so that what is the same is one image, found in the cache. */
export function imageLabels(instance: string, project: string): Record<string, string> {
  return { "docker-ci.instance": instance, "docker-ci.project": project };
}

/** Removes what a build that is over left behind on the engine and in the work folder. */
export async function tidyUp({ config, runtime, instance, store }: Workshop, number: BuildNumber): Promise<void> {
  const build = await store.get(number);
  if (build === undefined || !isFinished(build)) return;
  await removeLeftovers(runtime, { "docker-ci.instance": instance, "docker-ci.build": String(number) });
  await rm(workFolder(config, number), { recursive: true, force: true });
  await pruneImages(runtime, store, instance, build);
}

/** How many builds of a project keep their images: enough for the next one to find its layers cached. */
const IMAGES_KEPT = 2;

async function pruneImages(
  runtime: ContainerRuntime,
  store: BuildStore,
  instance: string,
  build: Build,
): Promise<void> {
  const images = await runtime.listImages(imageLabels(instance, build.project));
  const running = (await store.inState("running")).filter(({ project }) => project === build.project);
  const numbers = images.flatMap(({ reference }) => buildNumberOf(reference, instance) ?? []);
  const newest = [...new Set(numbers)].toSorted((a, b) => b - a).slice(0, IMAGES_KEPT);
  const kept = new Set([...newest, ...running.map(({ number }) => number)]);
  for (const { reference } of images) {
    const owner = buildNumberOf(reference, instance);
    // One without a name was tried again and built anew, unless it is just being built and about to be named.
    const isKept = owner === undefined ? running.length > 0 : kept.has(owner);
    if (!isKept) await runtime.removeImage(reference);
  }
}
