/** The files of a release are tried on a real Engine before any of them is uploaded (O-163). */

import { createReadStream } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { expect, test } from "vitest";
import { startReleases } from "../../../jobs/release.ts";
import { BASE_IMAGE, openCorner } from "../../support/docker.ts";
import { BUCKET, openReleaseSite, type ReleaseSite } from "../../support/release-site.ts";
import { waitFor } from "../../support/wait-for.ts";

const PROGRAM = '#!/bin/sh\n[ "$1" = --version ] && echo "docker version 0.9.0"\n';
/** `text` is a list of steps in YAML's flow style. */
const withSteps = (...steps: string[]) => `, smoke_test: [${steps.join(", ")}]`;
const step = (name: string, run: string, more = "") =>
  `{ name: ${name}, image: ${BASE_IMAGE}, run: '${run.replaceAll("'", "''")}'${more} }`;
const VERSION = step("version", '/release/docker-0.9.0.tgz --version | grep -F "$DOCKER_CI_VERSION"');

async function logOf({ dataDir }: ReleaseSite, number = 1): Promise<string> {
  const file = join(dataDir, "docker-ci", "release-logs", `${number}.log.gz`);
  return text(createReadStream(file).pipe(createGunzip()));
}

/** With an engine, and nothing left on it afterwards. */
async function released(site: ReleaseSite, version = "0.9.0") {
  await using corner = openCorner();
  const instance = corner.name("i");
  await using _driver = startReleases({ ...site.scene, instance, runtime: corner.runtime });
  const release = await site.over(await site.approved(version));
  const labels = { "docker-ci.instance": instance };
  expect(await corner.runtime.find(labels)).toEqual([]);
  expect(await corner.runtime.findNetworks(labels)).toEqual([]);
  expect(await corner.runtime.listImages(labels)).toEqual([]);
  return release;
}

test("what passes is published: the files are there under their names, as programs, and cannot be changed", async () => {
  const steps = [VERSION, step("all", "cd /release; ls; stat -c %A docker-0.9.0.tgz .")];
  await using site = await openReleaseSite(withSteps(...steps));
  site.files = { "dist/docker-0.9.0.tgz": PROGRAM, "dist/notes.txt": "new", "other.txt": "not published" };
  const release = await released(site);
  expect(release.plan.smokeTest).toEqual(["version", "all"]);
  expect(release.state).toMatchObject({ kind: "published", files: 2 });
  const log = await logOf(site);
  expect(log).toContain("docker version 0.9.0\n");
  expect(log).toContain("docker-0.9.0.tgz\nnotes.txt\n-r-xr-xr-x");
  expect(log).not.toContain("other.txt");
}, 60_000);

test("what fails is not: nothing is uploaded, and the room hears the last lines of it", async () => {
  const fails = step("version", "echo one; echo two; echo three; /release/docker-0.9.0.tgz --version");
  await using site = await openReleaseSite(withSteps(fails, step("never", "echo never")));
  await site.seed("0.8.1");
  site.files = { "dist/docker-0.9.0.tgz": '#!/bin/sh\necho "cannot \u001b[31mstart"; exit 3\n' };
  const release = await released(site);
  expect(release.state).toMatchObject({
    kind: "failed",
    step: "smoke-test",
    reason: "step version, exit 3",
    lines: ["two", "three", expect.stringMatching(/^cannot .*start$/)],
  });
  expect(site.server.objects(BUCKET).map(({ key }) => key)).toEqual([".docker-ci-owner", "docker/latest"]);
  const said = await site.said();
  expect(said.slice(-4)).toEqual([
    "✘ R1 docker 0.9.0 failed at smoke-test: step version, exit 3 · latest is where it was · https://ci.example.org/releases/R1",
    "two",
    "three",
    expect.stringContaining("cannot"),
  ]);
  expect(said.join("\n")).not.toContain("\u001b");
  const log = await logOf(site);
  expect(log).toContain("failed in");
  expect(log).not.toContain("echo never");
}, 60_000);

test("a step that takes too long has failed, and an image that is not there is said", async () => {
  await using site = await openReleaseSite(withSteps(step("slow", "sleep 60", ", timeout: 1s")));
  expect((await released(site)).state).toMatchObject({ reason: "step slow, time limit 1.0s of the step passed" });
  await using other = await openReleaseSite(withSteps("{ name: none, image: docker-ci/nosuch, run: exit 0 }"));
  expect((await released(other)).state).toMatchObject({
    kind: "failed",
    step: "smoke-test",
    reason: expect.stringContaining("nosuch"),
  });
}, 60_000);

test("a process that stops in the middle of it leaves no container, and the next one begins it anew", async () => {
  await using site = await openReleaseSite(withSteps(step("slow", "echo begun; sleep 5; echo done")));
  await using corner = openCorner();
  const instance = corner.name("i");
  const scene = { ...site.scene, instance, runtime: corner.runtime };
  const release = await site.approved("0.9.0");
  const running = async () => {
    const found = await corner.runtime.find({ "docker-ci.instance": instance, "docker-ci.release": "1" });
    return found.filter(({ state }) => state === "running");
  };
  {
    await using _driver = startReleases(scene);
    await waitFor("the step to run", async () => (await running()).length === 1);
  }
  expect((await site.releases.get(release.number))?.state).toMatchObject({ kind: "publishing", step: "smoke-test" });
  expect(await running()).toEqual([]);
  await using _driver = startReleases(scene);
  expect((await site.over(release)).state).toMatchObject({ kind: "published" });
  expect((await logOf(site)).match(/^begun$/gm)).toHaveLength(1);
}, 60_000);

test("without an engine nothing is published untried", async () => {
  await using site = await openReleaseSite(withSteps(VERSION));
  expect((await site.published("0.9.0")).state).toMatchObject({
    step: "smoke-test",
    reason: "there is no engine here to run the smoke test with",
  });
});
