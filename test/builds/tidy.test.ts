/** What builds leave behind on a real engine and in the data folder, and when it goes. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { artifactsFolder, coverageFolder } from "../../src/builds/pipeline-of-build.ts";
import { buildLabels, imageLabels, sweepLeftovers, tidyUp, type Workshop, workFolder } from "../../src/builds/tidy.ts";
import { BuildNumber } from "../../src/names.ts";
import { imageTag } from "../../src/pipeline/image-tag.ts";
import { never, openCorner } from "../support/docker.ts";
import { ago, openRecords } from "../support/records.ts";

const PASSED = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) } as const;
const FAILED = { ...PASSED, kind: "failed", reason: "step tests, exit 1" } as const;

async function openWorkshop() {
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

// O-164, O-173: after a failure too
test("when a build is over its containers, networks and checkout go, and those of others stay (O-50, O-53)", async () => {
  await using shop = await openWorkshop();
  const [over, running] = [await shop.begin(await shop.create()), await shop.begin(await shop.create())];
  await Promise.all([shop.litter(over), shop.litter(running)]);
  await tidyUp(shop.scene, over.number);
  expect(await shop.owners()).toEqual(["1", "1", "2", "2"]);
  await shop.end(over, FAILED);
  await tidyUp(shop.scene, over.number);
  expect(await shop.owners()).toEqual(["2", "2"]);
  expect([existsSync(shop.folderOf(over)), existsSync(shop.folderOf(running))]).toEqual([false, true]);
});

test("a checkout lies in no folder that the page serves (O-173)", () => {
  for (const served of [coverageFolder("/data"), artifactsFolder("/data")]) {
    expect(relative(served, workFolder({ dataDir: "/data" }, 1))).toMatch(/^\.\.\//);
  }
});

// O-164
test("a start removes what a killed process left of builds that are over or unknown, and nothing of those under way", async () => {
  await using shop = await openWorkshop();
  const over = await shop.begin(await shop.create());
  const checkedOut = await shop.begin(await shop.create());
  const running = await shop.begin(await shop.create());
  const unknown: Build = { ...over, number: BuildNumber.parse(99) };
  await Promise.all([over, running, unknown].map((build) => shop.litter(build)));
  // It was killed after the checkout, and before anything of it was on the engine.
  await mkdir(shop.folderOf(checkedOut), { recursive: true });
  await shop.end(over, PASSED);
  await shop.end(checkedOut, PASSED);
  await sweepLeftovers(shop.scene);
  expect(await shop.owners()).toEqual(["3", "3"]);
  expect([over, checkedOut, unknown, running].map((build) => existsSync(shop.folderOf(build)))).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

test("a cache that is for one build goes with it, at once or at the next start; those of branches stay", async () => {
  await using shop = await openWorkshop();
  const builds = [await shop.begin(await shop.create()), await shop.begin(await shop.create())];
  const [over, lost] = builds;
  if (over === undefined || lost === undefined) throw new Error("there are two");
  await Promise.all(builds.map((build) => shop.keepCache(build)));
  const ofBranch = { ...shop.corner.labels, ...imageLabels(shop.scene.instance, over.project) };
  await shop.corner.runtime.createVolume(shop.corner.name("cache-main"), ofBranch);
  await shop.end(over, PASSED);
  await tidyUp(shop.scene, over.number);
  expect(await shop.owners()).toEqual(["", "2"]);
  await shop.end(lost, PASSED);
  await sweepLeftovers(shop.scene);
  expect(await shop.owners()).toEqual([""]);
});

test("images of a project's last two builds are kept for their layers, older ones go, and those of a running build stay", async () => {
  await using shop = await openWorkshop();
  const builds: Build[] = [];
  for (let count = 0; count < 4; count += 1) builds.push(await shop.begin(await shop.create()));
  for (const build of builds) await shop.buildImage(build, `ENV NUMBER=${build.number}`);
  const [, second, , fourth] = builds;
  if (second === undefined || fourth === undefined) throw new Error("there are four");
  await shop.end(second, PASSED);
  await shop.end(fourth, PASSED);
  await tidyUp(shop.scene, fourth.number);
  expect(await shop.images()).toEqual(["1-image", "3-image", "4-image"]);
});

test("equal builds share one image, which goes with the last of its names; one that lost its name goes as well", async () => {
  await using shop = await openWorkshop();
  const builds: Build[] = [];
  for (let count = 0; count < 3; count += 1) builds.push(await shop.begin(await shop.create()));
  const [first, , third] = builds;
  if (first === undefined || third === undefined) throw new Error("there are three");
  await shop.buildImage(first, "ENV TRY=1");
  for (const build of builds) await shop.buildImage(build, "ENV TRY=2");
  const { instance } = shop.scene;
  const idOf = ({ number }: Build) => shop.corner.runtime.imageId(imageTag("hello", `${instance}-${number}`, "image"));
  expect(new Set(await Promise.all(builds.map(idOf))).size).toBe(1);
  for (const build of builds) await shop.end(build, PASSED);
  await tidyUp(shop.scene, third.number);
  expect(await shop.images()).toEqual(["2-image", "3-image"]);
  expect(await shop.corner.runtime.listImages(shop.corner.labels)).toHaveLength(2);
});
