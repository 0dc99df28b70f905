/** A process that publishes, killed at every step of it: `latest` is never wrong, and what became of the release is said once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE_FOLDER } from "../../../src/package.ts";
import { createVerifyRelease } from "../../../src/releases/publish/verify-release.ts";
import { DOCKER, isWhole, openReleaseSite, type ReleaseSite } from "../../support/release-site.ts";
import type { GivenToKilled, Kill } from "../../support/release-to-be-killed.ts";

const SCRIPT = join(PACKAGE_FOLDER, "test/support/release-to-be-killed.ts");
/** So many kills at any moment; with `DOCKER_CI_KILLS=200` more, and the others at every step. */
const KILLS = Number(process.env.DOCKER_CI_KILLS ?? 1);
const EVERYWHERE: readonly Kill[] = [
  { recorded: "check" },
  { recorded: "build" },
  { unrecorded: "collect" },
  { recorded: "sign" },
  { during: "docker-0.9.0.tgz" },
  { put: "install.sh" },
  { put: "/manifest.json" },
  { recorded: "verify" },
  { unrecorded: "latest" },
  { put: "docker/latest" },
  { unrecorded: "pointers" },
  { put: "docker/docker-latest.tgz" },
  { recorded: "tag" },
  { recorded: "announce" },
];
const SOMEWHERE: readonly Kill[] = [
  { unrecorded: "collect" },
  { during: "docker-0.9.0.tgz" },
  { put: "install.sh" },
  { put: "docker/latest" },
  { put: "docker/docker-latest.tgz" },
  { recorded: "announce" },
];
/** What follows `latest` is moved after it. */
const MORE = ', checksums: md5, latest_files: "{project}/{file}"';

/** @returns the signal that ended it, or its status. */
async function runToDeath(site: ReleaseSite, kill: Kill | undefined): Promise<string | number> {
  const given: GivenToKilled = {
    redisPath: String(site.records.redis.commands.options.path),
    endpoint: site.server.endpoint,
    dataDir: site.dataDir,
    privateKey: site.signing.privateKey,
    more: MORE,
    ...(kill === undefined ? {} : { kill }),
  };
  const child = spawn("node", ["--import", "tsx", SCRIPT, JSON.stringify(given)], {
    cwd: PACKAGE_FOLDER,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code, signal]: (string | number | null)[] = await once(child, "exit");
  return signal ?? code ?? "";
}

/** Reads `latest` as fast as it can, and what it names. @returns what was ever wrong. */
function watchLatest(site: ReleaseSite, before: string): { stop(): Promise<string[]> } {
  const wrong: string[] = [];
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const latest = (await site.latest()).trim();
      if (latest !== before && !isWhole(await site.served(`docker/${latest}/`))) wrong.push(latest);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      return wrong;
    },
  };
}

async function untilPublished(site: ReleaseSite, version: string, kills: readonly Kill[]): Promise<void> {
  const before = (await site.latest()).trim();
  const watch = watchLatest(site, before);
  const said = (await site.said()).length;
  const release = await site.approved(version);
  for (const kill of kills) {
    const ended = await runToDeath(site, kill);
    // A kill at any moment may come too late.
    expect([kill, ended]).toEqual([kill, "afterMs" in kill ? expect.anything() : "SIGKILL"]);
  }
  expect(await runToDeath(site, undefined)).toBe(0);
  expect(await watch.stop()).toEqual([]);
  expect((await site.releases.get(release.number))?.state).toMatchObject({ kind: "published", files: 3 });
  expect(await site.latest()).toBe(`${version}\n`);
  expect(isWhole(await site.served(`docker/${version}/`))).toBe(true);
  const verdict = await createVerifyRelease(site.scene)({ project: DOCKER }, new AbortController().signal);
  expect(verdict).toMatchObject({ version, compared: { kind: "same" }, pointers: 6 });
  const news = (await site.said()).slice(said);
  expect(news.filter((text) => text.includes("published"))).toHaveLength(1);
  expect(news.filter((text) => text.includes("building"))).toHaveLength(1);
  expect(site.server.openUploads()).toEqual([]);
}

test("killed where a step was recorded and where it was not, within uploads and behind the last of them", async () => {
  await using site = await openReleaseSite(MORE);
  await site.seed("0.8.1");
  await untilPublished(site, "0.9.0", process.env.DOCKER_CI_KILLS === undefined ? SOMEWHERE : EVERYWHERE);
  expect(await site.records.builds.latest(5)).toHaveLength(1);
}, 120_000);

test(
  "killed at any moment",
  async () => {
    await using site = await openReleaseSite(MORE);
    await site.seed("0.8.1");
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await untilPublished(site, `0.9.${kill}`, [{ afterMs: Math.random() * 300 }]);
    }
  },
  KILLS * 20_000,
);

test("killed in a release that fails: it ends failed, what it had put is gone, and the room is told once", async () => {
  await using site = await openReleaseSite(MORE);
  await site.seed("0.8.1");
  const release = await site.approved("0.9.0");
  expect(await runToDeath(site, { put: "/manifest.json" })).toBe("SIGKILL");
  await site.server.corrupt("get.example.org", "docker/0.9.0/manifest.json", 30);
  expect(await runToDeath(site, undefined)).toBe(0);
  expect((await site.releases.get(release.number))?.state).toMatchObject({ kind: "failed", step: "upload" });
  expect([...(await site.served("docker/0.9.0/")).keys()]).toEqual(["manifest.json"]);
  expect(site.server.objects("get.example.org").filter(({ key }) => key.includes("-latest"))).toEqual([]);
  expect(await site.latest()).toBe("0.8.1\n");
  expect((await site.said()).filter((text) => text.includes("failed"))).toHaveLength(1);
}, 60_000);
