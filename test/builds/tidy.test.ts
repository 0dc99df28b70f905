/** What builds leave behind on a real engine and in the data folder, and when it goes. */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { artifactsFolder, coverageFolder } from "../../src/builds/pipeline-of-build.ts";
import { tidyUp, workFolder } from "../../src/builds/tidy.ts";
import { imageTag } from "../../src/pipeline/image-tag.ts";
import { openWorkshop } from "../support/build-workshop.ts";
import { ago } from "../support/records.ts";

const PASSED = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) } as const;
const FAILED = { ...PASSED, kind: "failed", reason: "step tests, exit 1" } as const;

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
