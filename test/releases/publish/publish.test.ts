/** A release that has its approvals, published to a real bucket, downloaded again and checked with the tools that people have. */
import { execFile } from "node:child_process";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { openSigner, verifySignature } from "../../../adapters/openpgp/index.ts";
import { startReleases } from "../../../jobs/release.ts";
import { Secret } from "../../../src/config.ts";
import { deferred } from "../../../src/lifecycle.ts";
import { Manifest } from "../../../src/releases/publish/manifest.ts";
import { leaseKey } from "../../../src/releases/releases.ts";
import { openGpg } from "../../support/gpg-home.ts";
import { quickSigner } from "../../support/quick-signer.ts";
import { revisionOf } from "../../support/records.ts";
import {
  BUCKET,
  DOCKER,
  FILES,
  isWhole,
  openReleaseSite,
  type ReleaseSite,
  revisionsOf,
  withPuts,
} from "../../support/release-site.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { waitFor } from "../../support/wait-for.ts";

const run = promisify(execFile);

const never = new AbortController().signal;

function targetOf({ config }: ReleaseSite) {
  const target = config.releases.get(DOCKER)?.target;
  if (target === undefined) throw new Error("it is configured");
  return target;
}

async function failed(site: ReleaseSite, version = "0.9.0"): Promise<string> {
  const { state } = await site.published(version);
  if (state.kind !== "failed") throw new Error(`it is ${JSON.stringify(state)}`);
  return `${state.step}: ${state.reason}`;
}

test("what was tested is what is published, and people can check it: sha256sum -c and gpg --verify pass", async () => {
  await using site = await openReleaseSite();
  await using gpg = await openGpg();
  const keys = { gpgKey: undefined, gpgPrivateKey: new Secret(await gpg.privateKey()), passphrase: undefined };
  const scene = { ...site.scene, openSigner: () => openSigner(keys), verifySignature };
  const release = await site.approved("0.9.0", { key: gpg.fingerprint });
  await using _driver = startReleases(scene);
  const { state } = await site.over(release);
  expect(state).toMatchObject({ kind: "published", build: 1, files: 3, warnings: [] });
  expect(await site.latest()).toBe("0.9.0\n");
  const served = await site.served("docker/0.9.0/");
  expect([...served.keys()]).toEqual([
    "SHA256SUMS",
    "SHA256SUMS.asc",
    "docker-0.9.0-src.tgz",
    "docker-0.9.0.tgz",
    "install.sh",
    "key.asc",
    "manifest.json",
    "manifest.json.asc",
  ]);

  await using downloads = await temporaryFolder();
  for (const [name, content] of served) await writeFile(join(downloads.path, name), content);
  const at = { cwd: downloads.path };
  expect((await run("sha256sum", ["-c", "--strict", "SHA256SUMS"], at)).stdout).toBe(
    "docker-0.9.0-src.tgz: OK\ndocker-0.9.0.tgz: OK\ninstall.sh: OK\n",
  );
  const path = (name: string) => join(downloads.path, name);
  for (const name of ["SHA256SUMS", "manifest.json"]) {
    expect(await gpg.verify(path("key.asc"), path(`${name}.asc`), path(name))).toContain(gpg.fingerprint);
  }
  // O-97: the key that signs is not among it.
  expect([...served.values()].join("\n")).not.toContain("PRIVATE KEY");
  expect(served.get("docker-0.9.0.tgz")?.toString()).toBe(FILES["dist/docker-0.9.0.tgz"]);
  expect(Manifest.parse(JSON.parse(served.get("manifest.json")?.toString() ?? ""))).toMatchObject({
    project: "docker",
    version: "0.9.0",
    release: 1,
    revision: "6".repeat(40),
    build: 1,
    requestedBy: "ada",
    approvedBy: [{ name: "bob" }, { name: "eve" }],
    key: { fingerprint: gpg.fingerprint },
  });
  expect(await site.said()).toEqual([
    "R1: building #1 · https://ci.example.org/builds/1",
    expect.stringMatching(
      /^✔ R1 docker 0\.9\.0 published · 3 files \(.*\), sums and signature verified · latest is 0\.9\.0/,
    ),
  ]);
  const audited = await site.scene.audit.latest(50);
  expect(audited.map(({ action, detail }) => `${action} ${detail}`).toReversed()).toEqual([
    ...["check", "build", "collect", "sign", "upload", "verify", "latest", "tag", "announce"].map(
      (step) => `release-step R1 docker 0.9.0: ${step}`,
    ),
    "release-state R1 docker 0.9.0 is published",
  ]);
});

test("the build is of the revision that was agreed to, with an event of its own, and asked for once (O-57)", async () => {
  await using site = await openReleaseSite();
  await site.published("0.9.0");
  const [build, ...others] = await site.records.builds.latest(10);
  expect(others).toEqual([]);
  expect(build).toMatchObject({ event: "release", ref: "main", revision: { sha: "6".repeat(40), kind: "branch" } });
  expect(build?.untrusted).toBeUndefined();
});

test("without its tests, where that was agreed to, which stands in the manifest and is said (O-92)", async () => {
  await using site = await openReleaseSite();
  await site.published("0.9.0");
  expect((await site.records.builds.latest(1))[0]?.skipTests).toBeUndefined();
  const manifestOf = async (version: string) =>
    JSON.parse((await site.served(`docker/${version}/`)).get("manifest.json")?.toString() ?? "");
  expect(await manifestOf("0.9.0")).not.toHaveProperty("testsSkipped");
  expect((await site.published("0.9.1", { skipTests: true })).state).toMatchObject({ kind: "refused" });
  const bob = { network: "libera", at: new Date().toISOString() } as const;
  const release = await site.approved("0.9.2", { skipTests: true, approvals: 3 });
  const votes = ["bob", "eve", "dan"].map((by) => ({ ...bob, by, digest: release.digest }));
  await site.releases.change(release, { votes });
  await using _driver = startReleases(site.scene);
  expect((await site.over(release)).state).toMatchObject({ kind: "published" });
  expect((await site.records.builds.latest(1))[0]).toMatchObject({ event: "release", skipTests: true });
  expect(await manifestOf("0.9.2")).toMatchObject({ testsSkipped: true });
  expect((await site.said()).at(-1)).toContain("R3 docker 0.9.2 published · tests skipped ·");
});

test("names come from the paths: systems and processors as uname has them (O-94, O-95)", async () => {
  const files = '[{ from: "cross/**", to: "builds/{os}/{arch}/docker-{version}" }, install.sh]';
  await using site = await openReleaseSite("", (text) => text.replace('files: "dist/*"', `files: ${files}`));
  site.files = {
    "cross/linux/amd64/docker-0.9.0": "one",
    "cross/darwin/amd64/docker-0.9.0": "two",
    "cross/freebsd/386/docker-0.9.0": "three",
    "cross/linux/arm/docker-0.9.0": "four",
    "install.sh": "five",
    "other.txt": "not published",
  };
  await site.published("0.9.0");
  const names = [...(await site.served("docker/0.9.0/")).keys()].filter((name) => /^builds|install|other/.test(name));
  expect(names).toEqual([
    "builds/Darwin/x86_64/docker-0.9.0",
    "builds/FreeBSD/i386/docker-0.9.0",
    "builds/Linux/armel/docker-0.9.0",
    "builds/Linux/x86_64/docker-0.9.0",
    "install.sh",
  ]);
});

describe("what cannot be published is said, and latest stays where it was", () => {
  test.each([
    ["a build that fails", undefined, "build: #1 failed: step tests, exit 1"],
    [
      "no artifact that matches",
      { "bin/docker": "x", "bin/a": "y" },
      "collect: no artifact of #1 matches dist/*; there are bin/a, bin/docker",
    ],
    ["no artifact at all", {}, "collect: #1 left no artifacts, so there is nothing to publish"],
    [
      "a name that is taken",
      { "dist/SHA256SUMS": "x" },
      "collect: dist/SHA256SUMS cannot be published as SHA256SUMS: that name is taken",
    ],
  ])("%s", async (_what, files, reason) => {
    await using site = await openReleaseSite();
    await site.seed("0.8.1");
    site.files = files;
    expect(await failed(site)).toBe(reason);
    expect(await site.latest()).toBe("0.8.1\n");
    expect((await site.served("docker/0.9.0/")).size).toBe(0);
    expect((await site.said()).at(-1)).toContain("✘ R1 docker 0.9.0 failed at");
    expect((await site.said()).at(-1)).toContain("latest is where it was");
  });

  test("two artifacts of one name", async () => {
    await using site = await openReleaseSite("", (text) => text.replace('files: "dist/*"', 'files: "dist/**"'));
    site.files = { "dist/a/docker": "x", "dist/b/docker": "y" };
    expect(await failed(site)).toBe(
      "collect: dist/a/docker and dist/b/docker would both be published as docker; name them in files:",
    );
  });

  test("a system that nobody knows", async () => {
    await using site = await openReleaseSite("", (text) =>
      text.replace('"dist/*"', '[{ from: "*", to: "{os}/{file}" }]'),
    );
    site.files = { "docker-plan9": "x" };
    expect(await failed(site)).toContain(
      "collect: docker-plan9 says nothing of {os}; known are darwin, freebsd, linux",
    );
  });

  test("a link that leads out of the build's folder", async () => {
    await using site = await openReleaseSite();
    await using outside = await temporaryFolder();
    await writeFile(join(outside.path, "secret"), "x");
    site.files = { "dist/docker": "x" };
    await site.approved("0.9.0");
    const link = join(site.dataDir, "docker-ci", "artifacts", "1", "dist", "link");
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(outside.path, "secret"), link);
    // A record that says it is a file of the build's.
    const { builds } = site.records;
    const scene = {
      ...site.scene,
      builds: {
        request: builds.request.bind(builds),
        async get(...args: Parameters<typeof builds.get>) {
          const build = await builds.get(...args);
          const artifacts = [{ path: "dist/link", bytes: 1 }];
          return { ...build, steps: build.steps.map((step) => ({ ...step, artifacts })) };
        },
      },
    };
    await using _driver = startReleases(scene);
    const [release] = await site.releases.latest(1);
    if (release === undefined) throw new Error("there is one");
    expect((await site.over(release)).state).toMatchObject({ reason: "the artifact dist/link is no longer kept" });
  });

  test("a bucket of another deployment (O-130)", async () => {
    await using site = await openReleaseSite();
    await site.published("0.8.1");
    const config = { ...site.config, deployment: "staging" as const };
    await using _driver = startReleases({ ...site.scene, config });
    const release = await site.over(await site.approved("0.9.0"));
    expect(release.state).toMatchObject({
      kind: "failed",
      step: "check",
      reason: `s3://${BUCKET} belongs to the production docker-ci; this is staging: give it a bucket of its own`,
    });
    expect(await site.latest()).toBe("0.8.1\n");
  });

  test("another key than people agreed to", async () => {
    await using site = await openReleaseSite();
    const openSigner = async () => quickSigner().signer;
    await using _driver = startReleases({ ...site.scene, openSigner });
    const release = await site.over(await site.approved("0.9.0"));
    expect(release.state).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("the key to sign with is"),
    });
  });

  test("an approver who is none any more", async () => {
    await using site = await openReleaseSite();
    const people = site.config.people.map((person) => (person.name === "eve" ? { ...person, roles: [] } : person));
    await using _driver = startReleases({ ...site.scene, config: { ...site.config, people } });
    const release = await site.over(await site.approved("0.9.0"));
    expect(release.state).toMatchObject({ kind: "refused", reason: expect.stringContaining("1 of 2 approvals") });
  });

  test("a version that is there already", async () => {
    await using site = await openReleaseSite();
    await site.published("0.8.1");
    await site.published("0.9.0");
    expect(await failed(site, "0.8.1")).toMatch(/^check: s3:.*0\.8\.1\/.* is there already, and a version that was/);
    expect(isWhole(await site.served("docker/0.8.1/"))).toBe(true);
    expect(await site.latest()).toBe("0.9.0\n");
  });

  test("an object that somebody put there meanwhile", async () => {
    await using site = await openReleaseSite();
    await using store = await site.scene.openStore(targetOf(site));
    const evil = (key: string) => store.put(key, Buffer.from("evil"), {}, never);
    const scene = withPuts(site.scene, { before: async (key) => key.endsWith("install.sh") && evil(key) });
    await using _driver = startReleases(scene);
    const release = await site.over(await site.approved("0.9.0"));
    expect(release.state).toMatchObject({ reason: expect.stringContaining("is there already with other content") });
    // What was ours is gone again; what was not is left alone.
    expect([...(await site.served("docker/0.9.0/")).keys()]).toEqual(["install.sh"]);
    expect(await site.latest()).toBe("");
  });
});

test("a byte that changes on the way is found by reading back, and the version never becomes the latest", async () => {
  await using site = await openReleaseSite();
  await site.seed("0.8.1");
  const corrupt = async () => site.server.corrupt(BUCKET, "docker/0.9.0/docker-0.9.0.tgz", 100);
  const scene = withPuts(site.scene, { after: async (key) => key.endsWith("manifest.json") && corrupt() });
  await using _driver = startReleases(scene);
  const release = await site.approved("0.9.0");
  const { state } = await site.over(release);
  expect(state).toMatchObject({
    kind: "failed",
    step: "verify",
    reason: "docker 0.9.0 is not as it was signed: docker-0.9.0.tgz has other content",
  });
  expect(await site.latest()).toBe("0.8.1\n");
});

describe("a bucket that has its troubles", () => {
  test("503s, broken uploads, lost answers: it is published all the same", async () => {
    await using site = await openReleaseSite();
    site.server.cutNext("upload", { key: "docker-0.9.0.tgz", afterBytes: 1_000 });
    site.server.cutNext("answer", { key: "install.sh" });
    site.server.cutNext("answer", { key: "docker/latest" });
    site.server.cutNext("download", { key: "docker-0.9.0-src.tgz", afterBytes: 500 });
    const slow = async () => site.server.slowDown(2);
    const scene = withPuts(site.scene, { before: async (key) => key.endsWith("SHA256SUMS") && slow() });
    await using _driver = startReleases(scene);
    const release = await site.approved("0.9.0");
    expect((await site.over(release)).state.kind).toBe("published");
    expect(isWhole(await site.served("docker/0.9.0/"))).toBe(true);
    expect(site.server.openUploads()).toEqual([]);
  });

  test("a server that stays away: the release fails, and the same version can be released later, built anew", async () => {
    await using site = await openReleaseSite();
    await site.seed("0.8.1");
    const scene = withPuts(site.scene, {
      after: async (key) => key.endsWith("docker-0.9.0.tgz") && site.server.stop(),
    });
    await using driver = startReleases(scene);
    const release = await site.approved("0.9.0");
    const { state } = await site.over(release);
    expect(state).toMatchObject({ kind: "failed", step: "upload" });
    expect((await site.said()).at(-1)).toContain("latest is where it was");
    await driver[Symbol.asyncDispose]();
    await site.server.start();
    expect(await site.latest()).toBe("0.8.1\n");
    site.files = { "dist/docker-0.9.0.tgz": "another build of it" };
    expect((await site.published("0.9.0")).state.kind).toBe("published");
    expect(isWhole(await site.served("docker/0.9.0/"))).toBe(true);
    expect((await site.served("docker/0.9.0/")).has("install.sh")).toBe(false);
  });

  test("somebody else moves latest: the release fails and says what it says now", async () => {
    await using site = await openReleaseSite();
    await site.seed("0.8.1");
    const scene = withPuts(site.scene, { after: async (key) => key.endsWith("manifest.json") && site.seed("0.8.2") });
    await using _driver = startReleases(scene);
    const release = await site.approved("0.9.0");
    expect((await site.over(release)).state).toMatchObject({
      kind: "failed",
      step: "latest",
      reason: expect.stringContaining("says 0.8.2 by now: somebody else moved it; latest says 0.8.2"),
    });
    expect(await site.latest()).toBe("0.8.2\n");
  });
});

// O-99: the lock
test("of a project one is published at a time, also by two processes; !unlock lets another one go on", async () => {
  await using site = await openReleaseSite();
  const redis = site.records.redis.commands;
  await redis.set(leaseKey(DOCKER), "bbbbbbbb somebody-else", "PX", 600_000);
  const release = await site.approved("0.9.0");
  await using _one = startReleases(site.scene);
  await using _other = startReleases({ ...site.scene, instance: "cccccccc" });
  await waitFor("a look", async () => (await redis.pttl(leaseKey(DOCKER))) < 599_700);
  expect((await site.releases.get(release.number))?.change).toBe(release.change);
  await redis.del(leaseKey(DOCKER));
  expect((await site.over(release)).state.kind).toBe("published");
  expect(await site.records.builds.latest(5)).toHaveLength(1);
  const steps = (await site.scene.audit.latest(50)).filter(({ detail }) => detail.endsWith(": upload"));
  expect(steps).toHaveLength(1);
});

test("a tag and a release on the forge follow; when they cannot be, the release is published with a warning", async () => {
  const more = ", tag: v{version}, forge_release: true";
  await using site = await openReleaseSite(more.replace("v{version}", '"v{version}"'));
  const revisions = revisionsOf(revisionOf("6"));
  await using _driver = startReleases({ ...site.scene, revisions });
  const release = await site.over(await site.approved("0.9.0"));
  expect([...revisions.tags]).toEqual([["v0.9.0", "6".repeat(40)]]);
  expect(release.state).toMatchObject({
    kind: "published",
    warnings: ["no release on the forge: there is no forge with releases and a token for this project"],
  });
  expect((await site.said()).at(-1)).toContain("no release on the forge");
});

test("without a key there are sums and no signature", async () => {
  await using site = await openReleaseSite();
  await using _driver = startReleases({ ...site.scene, openSigner: async () => undefined });
  const release = await site.approved("0.9.0", { key: undefined });
  expect((await site.over(release)).state.kind).toBe("published");
  expect([...(await site.served("docker/0.9.0/")).keys()].filter((name) => !name.includes("docker"))).toEqual([
    "SHA256SUMS",
    "install.sh",
    "manifest.json",
  ]);
  expect((await site.said()).at(-1)).toContain("sums verified");
});

// O-99
test("a rollback moves latest to a version that is found good, and nothing else", async () => {
  await using site = await openReleaseSite();
  await site.published("0.8.1");
  await site.published("0.9.0");
  const before = site.server.objects(BUCKET).filter(({ key }) => key !== "docker/latest");
  const release = await site.published("0.8.1", { kind: "rollback" });
  expect(release.state).toMatchObject({ kind: "published", build: 1, files: 3 });
  expect(await site.latest()).toBe("0.8.1\n");
  expect(site.server.objects(BUCKET).filter(({ key }) => key !== "docker/latest")).toEqual(before);
  expect((await site.said()).at(-1)).toContain("R3 docker back to 0.8.1 published");
  await site.server.corrupt(BUCKET, "docker/0.9.0/install.sh");
  const other = await site.published("0.9.0", { kind: "rollback" });
  expect(other.state).toMatchObject({ kind: "failed", step: "verify", reason: expect.stringContaining("install.sh") });
  expect(await site.latest()).toBe("0.8.1\n");
});

test("a configuration that changed with a restart in the middle: nothing becomes the latest, and nothing stays behind", async () => {
  await using site = await openReleaseSite();
  await site.seed("0.8.1");
  const release = await site.approved("0.9.0");
  const arrived = deferred<void>();
  const held = deferred<void>();
  const hold = async (key: string) => {
    if (!key.endsWith("/manifest.json")) return;
    arrived.resolve();
    await held.promise;
  };
  const first = startReleases(withPuts(site.scene, { after: hold }));
  await arrived.promise;
  // A process that is gone in the middle: it holds its lease, and says nothing more.
  await site.records.redis.commands.del(leaseKey(DOCKER));
  const people = site.config.people.map((person) => (person.name === "eve" ? { ...person, roles: [] } : person));
  await using _driver = startReleases({ ...site.scene, config: { ...site.config, people } });
  const { state } = await site.over(release);
  expect(state).toMatchObject({ kind: "refused", reason: expect.stringContaining("1 of 2 approvals") });
  expect(await site.latest()).toBe("0.8.1\n");
  expect((await site.served("docker/0.9.0/")).size).toBe(0);
  held.resolve();
  await first[Symbol.asyncDispose]();
});

test("what a worker elsewhere left behind is fetched first, and waited for", async () => {
  await using site = await openReleaseSite();
  const elsewhere = join(site.dataDir, "elsewhere");
  let asked = 0;
  const bring = async (number: number) => {
    asked += 1;
    const here = join(site.dataDir, "docker-ci", "artifacts", String(number));
    // The first time it takes longer than anybody waits.
    if (asked === 1) await rename(here, elsewhere);
    else await rename(elsewhere, here);
  };
  await using _driver = startReleases({ ...site.scene, bring });
  expect((await site.over(await site.approved("0.9.0"))).state.kind).toBe("published");
  expect(asked).toBe(2);
});
