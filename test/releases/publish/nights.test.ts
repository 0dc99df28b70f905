/** Nights: published by the clock, each once, to a bucket of their own, and cleared away when there are enough. */
import { expect, test } from "vitest";
import { type NightReleaseScene, nightReleaseIfDue, nightsOf } from "../../../jobs/nightly-release.ts";
import { startReleases } from "../../../jobs/release.ts";
import { type Build, isFinished } from "../../../src/builds/build.ts";
import { GitRef } from "../../../src/names.ts";
import { revisionOf } from "../../support/records.ts";
import {
  BUCKET,
  FILES,
  isWhole,
  NIGHTS,
  openReleaseSite,
  type ReleaseSite,
  revisionsOf,
} from "../../support/release-site.ts";
import { waitFor } from "../../support/wait-for.ts";

const NIGHTLY = `, nightly: { bucket: ${NIGHTS}, keep: 2 }`;

/** The worker of the site has taken it to its end. */
function finished({ records }: ReleaseSite, { number }: Build): Promise<Build> {
  return waitFor(`#${number} to be over`, async () => {
    const build = await records.builds.get(number);
    return isFinished(build) && build;
  });
}

interface Nights {
  /** Looks at that time. */
  at(iso: string): ReturnType<typeof nightReleaseIfDue>;
  /** A build of the branch that is over, and passed where the site has files, of the commit of that digit. */
  passed(digit: string, changes?: Partial<Build>): Promise<Build>;
}

function nightsAt(site: ReleaseSite): Nights {
  let now = new Date();
  const { scene, records } = site;
  const nightScene: NightReleaseScene = {
    ...scene,
    builds: records.builds,
    revisions: revisionsOf(revisionOf("6")),
    clock: { now: () => now },
  };
  const [night] = nightsOf(site.config);
  if (night === undefined) throw new Error("there are nights");
  return {
    at(iso) {
      now = new Date(iso);
      return nightReleaseIfDue(nightScene, night);
    },
    async passed(digit, changes = {}) {
      const build = await records.create("docker", { revision: revisionOf(digit), event: "push", ...changes });
      return finished(site, build);
    },
  };
}

async function publishNight(site: ReleaseSite, nights: Nights, iso: string) {
  const look = await nights.at(iso);
  if (look?.kind !== "published") throw new Error(`it is ${JSON.stringify(look)}`);
  const { sha } = look.release.plan;
  await using _driver = startReleases({ ...site.scene, revisions: revisionsOf({ ...revisionOf("6"), sha }) });
  return await site.over(look.release);
}

test("a night is published once, from what passed, to its own bucket and pointer, without approvals (O-23, O-90, O-92)", async () => {
  await using site = await openReleaseSite(NIGHTLY, (text) => `timezone: Etc/UTC\n${text}`);
  const nights = nightsAt(site);
  expect(await nights.at("2026-11-21T12:00:00Z")).toBeUndefined();
  await nights.passed("6");
  expect(await nights.at("2026-11-22T06:59:00Z")).toBeUndefined();
  const { state, plan, origin, votes } = await publishNight(site, nights, "2026-11-22T07:00:05Z");
  expect({ kind: state.kind, origin, votes, version: plan.version, target: plan.target }).toEqual({
    kind: "published",
    origin: "nightly",
    votes: [],
    version: "2026-11-22",
    target: `s3://${NIGHTS}/docker/nightly/2026-11-22/`,
  });
  expect(await site.latest("docker/nightly/latest")).toBe("2026-11-22\n");
  expect(isWhole(await site.served("docker/nightly/2026-11-22/", NIGHTS))).toBe(true);
  expect(site.server.objects(BUCKET)).toEqual([]);
  expect(await nights.at("2026-11-22T07:00:10Z")).toBeUndefined();
  expect(await site.said()).toEqual([expect.stringContaining("docker 2026-11-22 published")]);
});

test("a night takes sums, copies that are the newest night's, and the smoke test, as a release does (O-94, O-163)", async () => {
  const step = "{ name: version, image: docker-ci/base, run: 'exit 1' }";
  const copies = `, latest_files: "{project}/nightly/{file}"`;
  await using site = await openReleaseSite(
    `, checksums: md5, smoke_test: [${step}]${NIGHTLY.replace(", keep", `${copies}, keep`)}`,
    (text) => `timezone: Etc/UTC\n${text}`,
  );
  const nights = nightsAt(site);
  await nights.at("2026-11-20T12:00:00Z");
  await nights.passed("6");
  const untried = await publishNight(site, nights, "2026-11-21T07:00:05Z");
  // There is no engine in this test.
  expect(untried.state).toMatchObject({ kind: "failed", step: "smoke-test" });
  expect(untried.plan).toMatchObject({ smokeTest: ["version"], pointers: ["docker/nightly/{file}"] });
  expect(site.server.objects(NIGHTS).map(({ key }) => key)).toEqual([".docker-ci-owner"]);
});

test("copies and sums of a night go with it, and the copies stay those of the newest (O-94)", async () => {
  const copies = `, latest_files: "{project}/nightly/{file}", keep: 1 }`;
  await using site = await openReleaseSite(`, checksums: md5${NIGHTLY.replace(", keep: 2 }", copies)}`);
  const nights = nightsAt(site);
  await nights.at("2026-11-20T12:00:00Z");
  for (const day of ["2026-11-21", "2026-11-22"]) {
    site.files = { [`dist/docker-${day}.tgz`]: day };
    await nights.passed(day.slice(-1));
    expect((await publishNight(site, nights, `${day}T07:00:05Z`)).state.kind).toBe("published");
  }
  const keys = [...(await site.served("docker/nightly/", NIGHTS)).keys()];
  expect(keys.filter((key) => !key.startsWith("2026-11-22/"))).toEqual([
    "docker-latest.tgz",
    "docker-latest.tgz.md5",
    "latest",
  ]);
  expect((await site.served("docker/nightly/docker-latest.tgz", NIGHTS)).get("")?.toString()).toBe("2026-11-22");
});

test("nothing new since the last night is no release; neither is a night before anything has passed", async () => {
  await using site = await openReleaseSite(NIGHTLY);
  const nights = nightsAt(site);
  await nights.at("2026-11-20T12:00:00Z");
  site.files = undefined;
  await nights.passed("6");
  site.files = FILES;
  expect(await nights.at("2026-11-21T07:00:05Z")).toEqual({
    kind: "skipped",
    reason: "no build of main has passed yet",
  });
  await nights.passed("6");
  await publishNight(site, nights, "2026-11-22T07:00:05Z");
  expect(await nights.at("2026-11-23T07:00:05Z")).toEqual({ kind: "skipped", reason: "nothing new since 2026-11-22" });
  expect(site.records.entries().filter(({ msg }) => msg === "no release tonight")).toHaveLength(2);
  await nights.passed("7");
  const { plan } = await publishNight(site, nights, "2026-11-24T07:00:05Z");
  expect(plan).toMatchObject({ version: "2026-11-24", sha: "7".repeat(40), previous: "2026-11-22" });
});

test("what is taken is the branch's own newest, not a branch beside it, a changed build or an old one built again", async () => {
  await using site = await openReleaseSite(NIGHTLY);
  const nights = nightsAt(site);
  await nights.at("2026-11-20T12:00:00Z");
  const old = await nights.passed("1");
  await nights.passed("2");
  await nights.passed("1", { rebuildOf: old.number });
  await nights.passed("3", { revision: revisionOf("3", { ref: GitRef.parse("feature") }) });
  await nights.passed("4", { params: { SKIP_TESTS: "1" } });
  await nights.passed("5", { untrusted: true });
  const look = await nights.at("2026-11-21T07:00:05Z");
  expect(look).toMatchObject({ kind: "published", release: { plan: { sha: "2".repeat(40) } } });
});

test("of several missed nights the newest is made up for", async () => {
  await using site = await openReleaseSite(NIGHTLY);
  const nights = nightsAt(site);
  await nights.at("2026-11-15T12:00:00Z");
  await nights.passed("6");
  const look = await nights.at("2026-11-22T09:30:00Z");
  expect(look).toMatchObject({ kind: "published", release: { plan: { version: "2026-11-22" } } });
  expect(await nights.at("2026-11-22T09:31:00Z")).toBeUndefined();
});

test("nights beyond those that are kept go, and only what their manifests list", async () => {
  await using site = await openReleaseSite(NIGHTLY);
  const nights = nightsAt(site);
  await nights.at("2026-11-19T12:00:00Z");
  for (const [digit, day] of [
    ["6", "20"],
    ["7", "21"],
  ] as const) {
    await nights.passed(digit);
    await publishNight(site, nights, `2026-11-${day}T07:00:05Z`);
  }
  const nightly = site.config.releases.get(nightsOf(site.config)[0]?.project.name ?? never())?.nightly;
  if (nightly?.target === undefined) throw new Error("it has a bucket");
  await using store = await site.scene.openStore(nightly.target);
  await store.put("docker/nightly/2026-11-20/notes.txt", Buffer.from("mine"), {}, new AbortController().signal);
  await nights.passed("8");
  expect((await publishNight(site, nights, "2026-11-22T07:00:05Z")).state).toMatchObject({ warnings: [] });
  expect([...(await site.served("docker/nightly/2026-11-20/", NIGHTS)).keys()]).toEqual(["notes.txt"]);
  for (const day of ["21", "22"]) {
    expect(isWhole(await site.served(`docker/nightly/2026-11-${day}/`, NIGHTS))).toBe(true);
  }
});

test("a night that cannot be asked for is told of after an hour, once", async () => {
  await using site = await openReleaseSite(NIGHTLY);
  const nights = nightsAt(site);
  await nights.at("2026-11-20T12:00:00Z");
  await nights.passed("6");
  await publishNight(site, nights, "2026-11-21T07:00:05Z");
  await nights.passed("7");
  const said = (await site.said()).length;
  const broken = { ...site, scene: { ...site.scene, openSigner: () => Promise.reject(new Error("no key")) } };
  const late = nightsAt(broken);
  await expect(late.at("2026-11-22T07:00:05Z")).rejects.toThrow("no key");
  expect(await site.said()).toHaveLength(said);
  await expect(late.at("2026-11-22T08:00:05Z")).rejects.toThrow("no key");
  await expect(late.at("2026-11-22T08:00:10Z")).rejects.toThrow("no key");
  expect((await site.said()).slice(said)).toEqual([
    expect.stringContaining("nightly release docker did not happen: due Sun 07:00 UTC"),
  ]);
});

function never(): never {
  throw new Error("there are nights");
}
