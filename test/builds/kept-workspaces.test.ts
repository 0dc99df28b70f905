/** What a failed step leaves in its container, kept on demand for a while (O-53), on a real engine. */
import { expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { keptWords } from "../../src/builds/kept-words.ts";
import { keepWorkspaces, removeExpiredWorkspaces } from "../../src/builds/kept-workspaces.ts";
import { watchLeftovers } from "../../src/builds/leftovers.ts";
import { buildLabels, tidyUp } from "../../src/builds/tidy.ts";
import { defaultProject, Secret } from "../../src/config.ts";
import { ProjectName, StepName } from "../../src/names.ts";
import { openWorkshop } from "../support/build-workshop.ts";
import { never, readOutput } from "../support/docker.ts";
import { ago, clock, NOW } from "../support/records.ts";

const HOUR_MS = 3_600_000;
const HELLO = defaultProject(ProjectName.parse("hello"), "/nowhere");
const PROJECT = { ...HELLO, network: "none" as const, secrets: { TOKEN: new Secret("hunter2-hunter2") } };
const at = (ms: number) => ({ now: () => new Date(NOW.getTime() + ms) });

async function openShop() {
  const shop = await openWorkshop();
  const { corner, scene } = shop;
  const images = () => corner.runtime.listImages({ "docker-ci.kept-by": scene.instance });
  return {
    ...shop,
    images,
    /** A build of which these steps failed, each after it wrote its name to a file; the first try wrote another one. */
    async fail(names: readonly string[], keepMs: number | undefined): Promise<Build> {
      const build = await shop.begin(await shop.create("hello", keepMs === undefined ? {} : { keepMs }));
      for (const name of names) {
        for (const text of ["first", name]) {
          const labels = { ...corner.labels, ...buildLabels(scene.instance, build), "docker-ci.step": name };
          const env = { TOKEN: "hunter2-hunter2", GREETING: "hi" };
          const spec = corner.spec(`echo ${text} >left.txt; exit 1`, { labels, env, workdir: "/check" });
          await (await corner.runtime.start(spec, never)).wait(never);
        }
      }
      const steps = names.map((name) => ({
        name: StepName.parse(name),
        kind: "run" as const,
        state: "failed" as const,
        durationMs: 1,
      }));
      return { ...build, steps };
    },
    async end(build: Build) {
      const times = { startedAt: ago(5), finishedAt: ago(0) };
      await shop.end(build, { kind: "failed", ...times, reason: "step tests, exit 1" });
      await tidyUp(scene, build.number);
    },
    async [Symbol.asyncDispose]() {
      for (const { reference } of await images()) await corner.runtime.removeImage(reference);
      await shop[Symbol.asyncDispose]();
    },
  };
}

test("it can be entered, with what the last try wrote and its variables but no secret, until its time is over (O-53)", async () => {
  await using shop = await openShop();
  const { corner, scene } = shop;
  const build = await shop.fail(["tests"], HOUR_MS);
  const kept = await keepWorkspaces({ ...scene, clock }, build, PROJECT);
  const tag = `docker-ci/hello:kept-${scene.instance}-${build.number}-tests`;
  expect(keptWords({ ...build, ranOn: { worker: "big-1", instance: "i" } }, kept)).toEqual([
    `tests is kept for 1h00m on big-1, to be entered there: docker run --rm -it --network none -e TOKEN ${tag}`,
  ]);

  await shop.end(build);
  await watchLeftovers(scene).sweep();
  expect(await shop.owners()).toEqual([]);
  // A person's shell in it is not taken for a container of the build.
  const line = ["-c", "cat left.txt; echo $GREETING$TOKEN; pwd"];
  const person = await corner.runtime.start(corner.spec("", { image: tag, command: ["/bin/sh", ...line] }), never);
  expect((await readOutput(person)).stdout.toString()).toBe("tests\nhi\n/check\n");
  expect(await corner.runtime.find({ "docker-ci.instance": scene.instance })).toEqual([]);
  await person.remove();

  await removeExpiredWorkspaces({ ...scene, clock: at(HOUR_MS - 1) });
  expect(await shop.images()).toHaveLength(1);
  await removeExpiredWorkspaces({ ...scene, clock: at(HOUR_MS) });
  expect(await shop.images()).toEqual([]);
});

test("what nobody asked for is not kept, and of many only a few, which is said", async () => {
  await using shop = await openShop();
  const scene = { ...shop.scene, clock };
  expect(await keepWorkspaces(scene, await shop.fail(["tests"], undefined), PROJECT)).toBeUndefined();
  const names = ["a", "b", "c", "d", "e", "f"];
  const kept = await keepWorkspaces(scene, await shop.fail(names, HOUR_MS), PROJECT);
  expect(kept?.steps.map(({ step }) => step)).toEqual(["a", "b", "c", "d", "e"]);
  expect(kept?.problem).toBe("there is room for 5 on a worker at a time");
  const late = await shop.fail(["tests"], HOUR_MS);
  expect(keptWords(late, await keepWorkspaces(scene, late, PROJECT))).toEqual([
    "nothing is kept: there is room for 5 on a worker at a time",
  ]);
});

test("a step that failed without a container leaves nothing to enter, and an engine that is away fails no build", async () => {
  await using shop = await openShop();
  const build = { ...(await shop.fail([], HOUR_MS)) };
  const image = { name: StepName.parse("image"), kind: "build", state: "failed", durationMs: 1 } as const;
  const failed: Build = { ...build, steps: [image] };
  expect(await keepWorkspaces({ ...shop.scene, clock }, failed, PROJECT)).toMatchObject({
    steps: [],
    problem: "no step failed in a container",
  });
  const runtime = {
    ...shop.scene.runtime,
    async listImages() {
      throw new Error("the engine does not answer");
    },
  };
  const kept = await keepWorkspaces({ ...shop.scene, runtime, clock }, failed, PROJECT);
  expect(kept).toMatchObject({ steps: [], problem: "the engine does not answer" });
});
