/** What follows `latest` (O-94): copies under names that stay, sums beside each file, and versions that move neither. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { startReleases } from "../../../jobs/release.ts";
import { lineText } from "../../../src/chat/reply.ts";
import { RuntimeError } from "../../../src/errors.ts";
import { pipelineDigest } from "../../../src/releases/digest.ts";
import { addressOf } from "../../../src/releases/publish/index-texts.ts";
import { latestName } from "../../../src/releases/publish/pointers.ts";
import { createVerifyRelease } from "../../../src/releases/publish/verify-release.ts";
import { verdictLines } from "../../../src/releases/publish/verify-words.ts";
import { Version } from "../../../src/releases/release.ts";
import { BUCKET, DOCKER, openReleaseSite, type ReleaseSite, withPuts } from "../../support/release-site.ts";

const never = new AbortController().signal;
const COPIES = ', checksums: [sha256, md5], latest_files: "{project}/{file}"';

async function verified(site: ReleaseSite): Promise<string[]> {
  const verdict = await createVerifyRelease(site.scene)({ project: DOCKER }, never);
  return verdictLines(verdict, site.config.url).map(lineText);
}

function sum(kind: string, text: string): string {
  return createHash(kind).update(text).digest("hex");
}

/** The copies, by their keys. */
async function copies(site: ReleaseSite): Promise<Record<string, string>> {
  const all = [...(await site.served("docker/"))].filter(([key]) => !/^\d|^latest$/.test(key));
  return Object.fromEntries(all.map(([key, content]) => [key, content.toString()]));
}

test("sums of each file lie beside it, and copies that always are the latest, with sums of their own (O-94)", async () => {
  await using site = await openReleaseSite(COPIES);
  site.files = { "dist/docker-0.9.0.tgz": "nine", "dist/install.sh": "#!/bin/sh\n" };
  await site.published("0.9.0");
  const served = await site.served("docker/0.9.0/");
  expect(served.get("docker-0.9.0.tgz.md5")?.toString()).toBe(`${sum("md5", "nine")}  docker-0.9.0.tgz\n`);
  expect(served.get("docker-0.9.0.tgz.sha256")?.toString()).toBe(`${sum("sha256", "nine")}  docker-0.9.0.tgz\n`);
  expect(await copies(site)).toEqual({
    "docker-latest.tgz": "nine",
    "docker-latest.tgz.md5": `${sum("md5", "nine")}  docker-latest.tgz\n`,
    "docker-latest.tgz.sha256": `${sum("sha256", "nine")}  docker-latest.tgz\n`,
    "install.sh": "#!/bin/sh\n",
    "install.sh.md5": `${sum("md5", "#!/bin/sh\n")}  install.sh\n`,
    "install.sh.sha256": `${sum("sha256", "#!/bin/sh\n")}  install.sh\n`,
  });
  expect(JSON.parse(served.get("manifest.json")?.toString() ?? "")).toMatchObject({
    checksums: ["sha256", "md5"],
    pointers: { copies: [{ key: "docker/docker-latest.tgz", name: "docker-0.9.0.tgz" }, { key: "docker/install.sh" }] },
  });
  expect(await verified(site)).toEqual([
    "✔ docker 0.9.0 is as it was signed · 2 files (14 B) · latest is 0.9.0 · 6 objects follow it · https://ci.example.org/releases/R1",
  ]);
});

test("a rollback takes them back, and takes away what the older version does not have; !verify finds what does not follow", async () => {
  await using site = await openReleaseSite(COPIES);
  site.files = { "dist/docker-0.8.1.tgz": "eight" };
  await site.published("0.8.1");
  site.files = { "dist/docker-0.9.0.tgz": "nine", "dist/new.txt": "new" };
  await site.published("0.9.0");
  expect(await copies(site)).toMatchObject({ "docker-latest.tgz": "nine", "new.txt": "new" });
  await site.published("0.8.1", { kind: "rollback" });
  expect(Object.keys(await copies(site))).toEqual([
    "docker-latest.tgz",
    "docker-latest.tgz.md5",
    "docker-latest.tgz.sha256",
  ]);
  expect((await copies(site))["docker-latest.tgz"]).toBe("eight");
  await site.server.corrupt(BUCKET, "docker/docker-latest.tgz");
  await site.server.remove(BUCKET, "docker/docker-latest.tgz.md5");
  expect(await verified(site)).toEqual([
    `✘ docker 0.8.1 is not what was signed · s3://${BUCKET}/docker/0.8.1/ · latest is 0.8.1`,
    "docker/docker-latest.tgz is not that of the latest version",
    "docker/docker-latest.tgz.md5 is missing",
  ]);
  await site.server.remove(BUCKET, "docker/0.8.1/docker-0.8.1.tgz.sha256");
  expect((await verified(site))[1]).toBe("docker-0.8.1.tgz.sha256 is missing");
});

test("a version that was published before anything followed latest is rolled back to with copies of its files", async () => {
  await using site = await openReleaseSite(COPIES);
  const settings = site.config.releases.get(DOCKER);
  if (settings === undefined) throw new Error("it is configured");
  const plain = new Map([[DOCKER, { ...settings, checksums: [], latestFiles: undefined }]]);
  const before = { ...site.scene, config: { ...site.config, releases: plain } };
  site.files = { "dist/docker-0.8.1.tgz": "eight" };
  {
    const release = await site.approved("0.8.1", { pipeline: pipelineDigest(before.config, DOCKER) ?? "" });
    await using _driver = startReleases(before);
    expect((await site.over(release)).state).toMatchObject({ kind: "published" });
  }
  site.files = { "dist/docker-0.9.0.tgz": "nine" };
  await site.published("0.9.0");
  await site.published("0.8.1", { kind: "rollback" });
  expect(await copies(site)).toEqual({ "docker-latest.tgz": "eight" });
});

test("with --no-latest a version is published, and neither latest nor what follows it moves (O-94)", async () => {
  await using site = await openReleaseSite(COPIES);
  site.files = { "dist/docker-0.9.0.tgz": "nine" };
  await site.published("0.9.0");
  const before = await copies(site);
  site.files = { "dist/docker-0.8.2.tgz": "eight" };
  const beside = { noLatest: true, previous: Version.parse("0.9.0") } as const;
  expect((await site.published("0.8.2", beside)).state).toMatchObject({ kind: "published", files: 1 });
  expect((await site.served("docker/0.8.2/")).get("docker-0.8.2.tgz")?.toString()).toBe("eight");
  expect(await site.latest()).toBe("0.9.0\n");
  expect(await copies(site)).toEqual(before);
  expect((await site.said()).at(-1)).toContain("sums and signature verified · latest stays 0.9.0 ·");
  const steps = (await site.scene.audit.latest(50)).map(({ detail }) => detail);
  expect(steps).not.toContain("R2 docker 0.8.2: latest");
});

test("a copy that cannot be put is waited for while that may mend, and is a warning where it may not", async () => {
  await using site = await openReleaseSite(COPIES);
  let times = 0;
  const scene = withPuts(site.scene, {
    async before(key) {
      if (!key.endsWith("/docker-latest.tgz")) return;
      times += 1;
      if (times < 4) throw new RuntimeError("the bucket is away");
    },
  });
  site.files = { "dist/docker-0.9.0.tgz": "nine" };
  {
    await using _driver = startReleases({ ...scene, leaseMs: 300 });
    expect((await site.over(await site.approved("0.9.0"))).state).toMatchObject({ warnings: [] });
  }
  expect((await copies(site))["docker-latest.tgz"]).toBe("nine");
  expect(times).toBe(4);
  site.files = { "dist/docker-0.9.1.tgz": "ten" };
  const refusing = withPuts(site.scene, {
    async before(key) {
      if (key.endsWith("/docker-latest.tgz")) throw new RuntimeError("no right to write there", { retryable: false });
    },
  });
  await using _driver = startReleases(refusing);
  const { state } = await site.over(await site.approved("0.9.1"));
  expect(state).toMatchObject({ warnings: ["not everything says so: no right to write there"] });
  expect(await site.latest()).toBe("0.9.1\n");
});

test("an index has the bucket's address in it, redirects lead elsewhere, and both are those of the latest (O-94)", async () => {
  const index =
    '[{ to: index, from: install/install.sh }, { to: builds/index, text: "{project} {version}: {url}/builds" }]';
  const redirects = '{ builds/info: "/docker/{version}/notes.txt", ubuntu/info: "https://docs.example.org/" }';
  await using site = await openReleaseSite(`, checksums: md5, index: ${index}, redirects: ${redirects}`);
  const script = `#!/bin/sh\nurl={url}; version=\${version:-{version}}; echo \${version}\n`;
  site.files = { "dist/notes.txt": "eight", "install/install.sh": script };
  await site.published("0.8.1");
  site.files = { "dist/notes.txt": "nine", "install/install.sh": script };
  expect((await site.published("0.9.0")).plan.pointers).toEqual([
    "index",
    "builds/index",
    "builds/info",
    "ubuntu/info",
  ]);
  const at = async (key: string) => (await site.served(key)).get("")?.toString();
  const url = `${site.server.endpoint}/${BUCKET}`;
  const filled = (version: string) => `#!/bin/sh\nurl=${url}; version=\${version:-${version}}; echo \${version}\n`;
  expect(await at("index")).toBe(filled("0.9.0"));
  expect(await at("docker/0.9.0/index")).toBe(filled("0.9.0"));
  expect(await at("builds/index")).toBe(`docker 0.9.0: ${url}/builds`);
  expect(await at("index.md5")).toBe(`${sum("md5", filled("0.9.0"))}  index\n`);
  const settings = site.config.releases.get(DOCKER);
  if (settings === undefined) throw new Error("it is configured");
  await using store = await site.scene.openStore(settings.target);
  const leadsTo = async (key: string) => (await store.head(key, never))?.redirect;
  expect([await leadsTo("builds/info"), await leadsTo("ubuntu/info")]).toEqual([
    "/docker/0.9.0/notes.txt",
    "https://docs.example.org/",
  ]);
  expect((await verified(site))[0]).toContain("3 files (");
  expect((await verified(site))[0]).toContain("latest is 0.9.0 · 6 objects follow it");
  expect((await site.said()).at(-1)).toContain("3 files (");

  await store.put("builds/info", Buffer.alloc(0), { redirect: "https://evil.example.org/" }, never);
  expect((await verified(site))[1]).toBe("builds/info is not that of the latest version");
  await site.published("0.8.1", { kind: "rollback" });
  expect(await at("index")).toBe(filled("0.8.1"));
  expect(await leadsTo("builds/info")).toBe("/docker/0.8.1/notes.txt");
  expect((await verified(site))[0]).toContain("latest is 0.8.1 · 6 objects follow it");
});

test.each([
  ["index: { to: index, from: nosuch.sh }", "collect", "nosuch.sh cannot be an index: the build left no such artifact"],
  ["index: { to: notes.txt, text: x }", "collect", "the index notes.txt has the name of a file"],
  ["index: { to: docker/0.8.0/index, text: x }", "sign", "a version lies there"],
  [
    "index: { to: i, text: x }, redirects: { i: /x }",
    "sign",
    "a redirect cannot stand at i: something else goes there",
  ],
])("%s: it fails before anything is uploaded", async (keys, step, reason) => {
  await using site = await openReleaseSite(`, ${keys}`);
  site.files = { "dist/notes.txt": "nine" };
  expect((await site.published("0.9.0")).state).toMatchObject({ step, reason: expect.stringContaining(reason) });
  expect(site.server.objects(BUCKET).map(({ key }) => key)).toEqual([".docker-ci-owner"]);
});

test.each([
  [{}, "https://get.s3.amazonaws.com"],
  [{ region: "eu-central-1" }, "https://get.s3.eu-central-1.amazonaws.com"],
  [{ region: "eu-central-1", bucket: "get.docker.io" }, "https://s3.eu-central-1.amazonaws.com/get.docker.io"],
  [{ endpoint: "https://minio.example.org:9000", pathStyle: true }, "https://minio.example.org:9000/get"],
  [{ endpoint: "https://s3.example.org" }, "https://get.s3.example.org"],
])("the address of a bucket with %j is %s", (keys, address) => {
  const bucket = { bucket: "get", endpoint: undefined, region: undefined, pathStyle: false, storageClass: undefined };
  expect(addressOf({ ...bucket, accessKey: undefined, secretKey: undefined, ...keys })).toBe(address);
});

test.each([
  ['latest_files: "{project}/0.8.0/{file}"', "install.sh", "a version lies there"],
  ['latest_files: "{project}/{file}"', "latest", "something else goes there"],
])("%s: nothing else is ever written over", async (key, file, reason) => {
  await using site = await openReleaseSite(`, ${key}`);
  site.files = { [`dist/${file}`]: "x" };
  expect((await site.published("0.9.0")).state).toMatchObject({
    kind: "failed",
    step: "sign",
    reason: expect.stringContaining(reason),
  });
  expect((await site.served("docker/")).size).toBe(0);
});

test("an artifact that has the name of a sum is named", async () => {
  await using site = await openReleaseSite(", checksums: md5");
  site.files = { "dist/a.tgz": "x", "dist/a.tgz.md5": "y" };
  expect((await site.published("0.9.0")).state).toMatchObject({
    kind: "failed",
    step: "collect",
    reason: "a.tgz.md5 is both an artifact and the sum of dist/a.tgz; name it in files:",
  });
});

test.each([
  ["docker-0.9.0.tgz", "docker-latest.tgz"],
  ["builds/Linux/x86_64/docker-0.9.0", "builds/Linux/x86_64/docker-latest"],
  ["docker-v0.9.0_amd64.deb", "docker-latest_amd64.deb"],
  ["0.9.0/docker", "latest/docker"],
  ["docker-10.9.0.tgz", "docker-10.9.0.tgz"],
  ["docker-0.9.01.tgz", "docker-0.9.01.tgz"],
  ["install.sh", "install.sh"],
])("the latest of %s is %s (O-94)", (name, latest) => {
  expect(latestName(name, Version.parse("0.9.0"))).toBe(latest);
});
