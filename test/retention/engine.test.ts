/** What builds left on an engine goes by the builds that used it; and nothing that is not ours. */
import { describe, expect, it } from "vitest";
import { BuildNumber, ProjectName } from "../../src/names.ts";
import { cacheVolume } from "../../src/pipeline/caches.ts";
import { type EngineScene, expiredOnEngine, removeFromEngine } from "../../src/retention/engine.ts";
import type { BuildFacts } from "../../src/retention/facts.ts";
import { BASE_IMAGE, openCorner } from "../support/docker.ts";
import { NOW } from "../support/records.ts";

const DAY_MS = 86_400_000;
const hello = ProjectName.parse("hello");
const facts = (number: number, days: number | undefined, changes: Partial<BuildFacts> = {}): BuildFacts => ({
  number: BuildNumber.parse(number),
  project: hello,
  branch: "main",
  pullRequest: undefined,
  state: days === undefined ? "running" : "passed",
  finishedAt: days === undefined ? undefined : NOW.getTime() - days * DAY_MS,
  ...changes,
});
const AGES = { imagesMs: 7 * DAY_MS, cachesMs: 30 * DAY_MS };

describe("on the engine", () => {
  it("images go when their build is old, and not while it runs", async () => {
    await using corner = openCorner();
    const instance = corner.name("i").replaceAll("-", "");
    const labels = { ...corner.labels, "docker-ci.instance": instance };
    const scene: EngineScene = { runtime: corner.runtime, instance };
    const tags = [1, 2, 3].map((number) => `docker-ci/hello:${instance}-${number}-image`);
    for (const [index, tag] of tags.entries()) {
      await corner.runtime.buildImage(corner.build(`LABEL n=${index}`, { tag, labels }));
    }
    const expired = await expiredOnEngine(scene, [facts(1, 8), facts(2, 6), facts(3, undefined)], AGES, NOW);
    expect(expired.images.filter((image) => image.includes(instance))).toEqual([tags[0]]);
    await removeFromEngine(scene, { images: [tags[0] as string], volumes: [] });
    expect(await Promise.all(tags.map(async (tag) => (await corner.runtime.imageId(tag)) !== undefined))).toEqual([
      false,
      true,
      true,
    ]);
    for (const tag of tags) await corner.runtime.removeImage(tag);
  });

  it("caches go when no build of their branch or pull request used them for long, or their project is gone", async () => {
    await using corner = openCorner();
    const instance = corner.name("v").replaceAll("-", "");
    const scene: EngineScene = { runtime: corner.runtime, instance };
    const volume = (project: string, scope: string) =>
      cacheVolume(
        { ...corner.labels, "docker-ci.instance": instance, "docker-ci.project": project },
        scope,
        "/root/.npm",
      );
    const volumes = [
      volume("hello", "branch main"),
      volume("hello", "branch old"),
      volume("hello", "pull request 12"),
      volume("hello", "pull request 13"),
      volume("gone", "branch main"),
    ];
    for (const { name, labels } of volumes) await corner.runtime.createVolume(name, labels);
    // One that somebody else made, with a name like ours.
    const other = `docker-ci-${instance}-cache-other`;
    await corner.runtime.createVolume(other, corner.labels);
    const known = [
      facts(1, 40),
      facts(2, 2),
      facts(3, 31, { branch: "old" }),
      facts(4, 31, { pullRequest: 12 }),
      facts(5, 1, { pullRequest: 13 }),
    ];
    const expired = await expiredOnEngine(scene, known, AGES, NOW);
    expect(expired.volumes.toSorted()).toEqual(
      [volumes[1], volumes[2], volumes[4]].map((each) => each?.name).toSorted(),
    );
    await removeFromEngine(scene, { images: [], volumes: expired.volumes });
    const left = (await corner.runtime.findVolumes(corner.labels)).map(({ name }) => name);
    expect(left.toSorted()).toEqual([volumes[0]?.name, volumes[3]?.name, other].toSorted());
  });

  it("leaves what a container uses", async () => {
    await using corner = openCorner();
    const instance = corner.name("u").replaceAll("-", "");
    const name = `docker-ci-${instance}-cache-used`;
    const labels = {
      ...corner.labels,
      "docker-ci.instance": instance,
      "docker-ci.project": "gone",
      "docker-ci.cache": "branch main",
    };
    await corner.runtime.createVolume(name, labels);
    const spec = corner.spec("sleep 60", {
      mounts: [{ source: name, target: "/cache", readOnly: false }],
      image: BASE_IMAGE,
    });
    const container = await corner.runtime.start(spec, new AbortController().signal);
    const scene: EngineScene = { runtime: corner.runtime, instance };
    const expired = await expiredOnEngine(scene, [], AGES, NOW);
    expect(expired.volumes).toEqual([name]);
    await removeFromEngine(scene, expired);
    expect(await corner.runtime.findVolumes({ "docker-ci.instance": instance })).toHaveLength(1);
    await container.remove();
  });
});
