/** What a bucket serves, compared with what was signed: on request, and by the clock with news to the rooms. */
import { expect, test } from "vitest";
import { verifyIfDue } from "../../../jobs/verify-releases.ts";
import { lineText } from "../../../src/chat/reply.ts";
import type { Bucket } from "../../../src/config.ts";
import { createVerifyRelease, type VerifyRelease } from "../../../src/releases/publish/verify-release.ts";
import { verdictLines } from "../../../src/releases/publish/verify-words.ts";
import { Version } from "../../../src/releases/release.ts";
import { quickSigner } from "../../support/quick-signer.ts";
import { BUCKET, DOCKER, openReleaseSite, type ReleaseSite } from "../../support/release-site.ts";

const never = new AbortController().signal;

async function lines(verify: VerifyRelease, version?: string): Promise<string[]> {
  const wish = { project: DOCKER, ...(version === undefined ? {} : { version: Version.parse(version) }) };
  const verdict = await verify(wish, never);
  return verdictLines(verdict, "https://ci.example.org").map(lineText);
}

function bucketOf({ config }: ReleaseSite): Bucket {
  const target = config.releases.get(DOCKER)?.target;
  if (target === undefined) throw new Error("it is configured");
  return target;
}

test("a changed byte, a removed object, one more, another key: each is found, and named", async () => {
  await using site = await openReleaseSite();
  const verify = createVerifyRelease(site.scene);
  await expect(lines(verify)).rejects.toThrow("nothing of docker is published yet.");
  await site.published("0.9.0");
  const GOOD = [
    "✔ docker 0.9.0 is as it was signed · 3 files (86 KiB) · latest is 0.9.0 · https://ci.example.org/releases/R1",
  ];
  expect(await lines(verify)).toEqual(GOOD);
  expect(await lines(verify, "0.9.0")).toEqual(GOOD);
  expect(await lines(verify, "0.9.9")).toEqual([
    `✘ docker 0.9.9 is not at s3://${BUCKET}/docker/0.9.9/ · latest is 0.9.0`,
  ]);

  const BAD = `✘ docker 0.9.0 is not what was signed · s3://${BUCKET}/docker/0.9.0/ · latest is 0.9.0`;
  const at = (name: string) => `docker/0.9.0/${name}`;
  await using store = await site.scene.openStore(bucketOf(site));
  const kept = new Map(await site.served("docker/0.9.0/"));
  const restore = async (name: string) => {
    await store.put(at(name), kept.get(name) ?? Buffer.alloc(0), {}, never);
  };

  for (const [name, problem] of [
    ["install.sh", "install.sh has other content"],
    ["SHA256SUMS", "SHA256SUMS has other content"],
    ["key.asc", "key.asc has other content"],
    ["manifest.json", "the signature of manifest.json is not good"],
  ] as const) {
    await site.server.corrupt(BUCKET, at(name), 5);
    expect(await lines(verify)).toEqual([BAD, expect.stringContaining(problem)]);
    await restore(name);
  }
  for (const name of ["docker-0.9.0.tgz", "SHA256SUMS.asc", "manifest.json", "manifest.json.asc", "key.asc"]) {
    await site.server.remove(BUCKET, at(name));
    expect(await lines(verify)).toEqual([BAD, `${name} is missing`]);
    await restore(name);
  }
  await store.put(at("docker-0.9.0.exe"), Buffer.from("evil"), {}, never);
  expect(await lines(verify)).toEqual([BAD, "docker-0.9.0.exe is there and no part of it"]);
  await store.remove(at("docker-0.9.0.exe"), never);
  expect(await lines(verify)).toEqual(GOOD);

  // Whoever signs all of it anew with a key of their own is found by the key that is configured here.
  const other = createVerifyRelease({ ...site.scene, openSigner: async () => quickSigner().signer });
  expect(await lines(other)).toEqual([BAD, "the signature of manifest.json is not good (it is of another key)"]);
});

test("a manifest of another version, good in itself, is no manifest of this one", async () => {
  await using site = await openReleaseSite();
  await site.published("0.8.1");
  await site.published("0.9.0");
  await using store = await site.scene.openStore(bucketOf(site));
  for (const [name, content] of await site.served("docker/0.8.1/")) {
    await store.put(`docker/0.9.0/${name}`, content, {}, never);
  }
  expect((await lines(createVerifyRelease(site.scene)))[1]).toBe("manifest.json is that of docker 0.8.1");
});

test("by the clock: the rooms hear of what differs once until it is mended, and of that", async () => {
  await using site = await openReleaseSite(', verify: "0 5 * * *"');
  await site.published("0.8.1");
  await site.published("0.9.0");
  const said = (await site.said()).length;
  const watched = { project: DOCKER, at: "0 5 * * *", timezone: "Etc/UTC" };
  let now = new Date();
  const scene = { ...site.scene, verifyRelease: createVerifyRelease(site.scene), clock: { now: () => now } };
  const look = (iso: string) => {
    now = new Date(iso);
    return verifyIfDue(scene, watched, never);
  };
  await look("2026-11-20T12:00:00Z");
  expect((await look("2026-11-21T05:00:01Z"))?.map(({ version, compared }) => `${version} ${compared.kind}`)).toEqual([
    "0.9.0 same",
    "0.8.1 same",
  ]);
  expect(await look("2026-11-21T05:00:05Z")).toBeUndefined();
  await site.server.corrupt(BUCKET, "docker/0.8.1/install.sh");
  await look("2026-11-22T05:00:01Z");
  await look("2026-11-23T05:00:01Z");
  await site.server.corrupt(BUCKET, "docker/0.8.1/install.sh");
  await look("2026-11-24T05:00:01Z");
  expect((await site.said()).slice(said)).toEqual([
    `✘ docker 0.8.1 is not what was signed · s3://${BUCKET}/docker/0.8.1/ · latest is 0.9.0`,
    "install.sh has other content",
    "✔ docker 0.8.1 is as it was signed again · https://ci.example.org/releases/R1",
  ]);
  await site.server.stop();
  await expect(look("2026-11-25T05:00:01Z")).rejects.toThrow("s3://");
  expect(await site.said()).toHaveLength(said + 3);
  await expect(look("2026-11-25T06:00:01Z")).rejects.toThrow("s3://");
  expect((await site.said()).at(-1)).toContain("verify docker did not happen: due Wed 05:00 UTC");
});
