/** What attempts left on a real engine and in the data folder, and when a later look removes it. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { watchLeftovers } from "../../src/builds/leftovers.ts";
import { logHead, logsFolder } from "../../src/builds/log-files.ts";
import { imageLabels, tidyUp } from "../../src/builds/tidy.ts";
import { BuildNumber } from "../../src/names.ts";
import { openWorkshop } from "../support/build-workshop.ts";
import { ago } from "../support/records.ts";

const PASSED = { kind: "passed", startedAt: ago(5), finishedAt: ago(0) } as const;

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
  await watchLeftovers(shop.scene).sweep();
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
  await watchLeftovers(shop.scene).sweep();
  expect(await shop.owners()).toEqual([""]);
});

test("what was left to be gone on with goes once another worker has the build (O-164)", async () => {
  await using shop = await openWorkshop();
  const { instance } = shop.scene;
  const ours = await shop.begin(await shop.create());
  const here = await shop.store.transition(ours, ours.state, { ranOn: { worker: "w1", instance } });
  if (here === undefined) throw new Error("nobody else has it");
  await shop.litter(here);
  const log = logHead(logsFolder(shop.scene.config), here.number);
  await mkdir(logsFolder(shop.scene.config), { recursive: true });
  await writeFile(log, "half of it");
  const leftovers = watchLeftovers(shop.scene);
  await leftovers.sweep();
  expect(await shop.owners()).toEqual(["1", "1"]);
  await shop.store.transition(here, here.state, { ranOn: { worker: "w2", instance: "another" } });
  await leftovers.sweep();
  expect(await shop.owners()).toEqual([]);
  expect([existsSync(shop.folderOf(here)), existsSync(log)]).toEqual([false, false]);
});

test("what is of a build at work here stays until it has let go, whatever its record says", async () => {
  await using shop = await openWorkshop();
  const build = await shop.begin(await shop.create());
  const leftovers = watchLeftovers(shop.scene);
  const release = await leftovers.hold(build.number);
  const again = await leftovers.hold(build.number);
  await shop.litter(build);
  await shop.end(build, PASSED);
  release();
  await leftovers.sweep();
  expect(await shop.owners()).toEqual(["1", "1"]);
  again();
  await leftovers.sweep();
  expect(await shop.owners()).toEqual([]);
});

test("a build that comes back while it is being removed waits until that is done", async () => {
  await using shop = await openWorkshop();
  const build = await shop.begin(await shop.create());
  await shop.litter(build);
  await shop.end(build, PASSED);
  let log = shop.scene.log;
  const begun = new Promise<void>((resolve) => {
    log = pino({}, { write: () => resolve() });
  });
  const leftovers = watchLeftovers({ ...shop.scene, log });
  const swept = leftovers.sweep();
  await begun;
  await leftovers.hold(build.number);
  expect(await shop.owners()).toEqual([]);
  await swept;
});
