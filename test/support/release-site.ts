/** Everything that publishing takes: records in a real Redis, buckets on a real S3 server, a key, and a worker that only pretends. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { S3_SETTINGS } from "../../adapters/s3/client.ts";
import { openS3 } from "../../adapters/s3/index.ts";
import { type ReleaseScene, startReleases } from "../../jobs/release.ts";
import { type Audit, createAudit } from "../../src/audit/audit.ts";
import { claimBucket } from "../../src/bucket-owner.ts";
import type { Build } from "../../src/builds/build.ts";
import { leftBehind } from "../../src/builds/pipeline-of-build.ts";
import { lineText } from "../../src/chat/reply.ts";
import type { Config } from "../../src/config.ts";
import { createSubscriptions } from "../../src/incidents/subscriptions.ts";
import { GitRef, ProjectName, StepName } from "../../src/names.ts";
import { outboxKey, parseEntry } from "../../src/queue/outbox-entry.ts";
import { pipelineDigest, planDigest } from "../../src/releases/digest.ts";
import { smokeTestOf } from "../../src/releases/plan.ts";
import { placeOf } from "../../src/releases/publish/layout.ts";
import { parseManifest, sha256Of } from "../../src/releases/publish/manifest.ts";
import { createReleaseStore } from "../../src/releases/redis-store.ts";
import { isOver, type Release, type ReleasePlan, Version } from "../../src/releases/release.ts";
import type { ReleaseStore } from "../../src/releases/store.ts";
import type { Revision, Revisions } from "../../src/revisions.ts";
import { type QuickSigner, quickSigner, verifyQuickly } from "./quick-signer.ts";
import { configOf, openRecords, type Records, revisionOf } from "./records.ts";
import { S3_KEY, type S3TestServer, startS3 } from "./s3-server.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitFor } from "./wait-for.ts";

export const BUCKET = "get.example.org";
export const NIGHTS = "nights.example.org";
export const DOCKER = ProjectName.parse("docker");

export type Files = Readonly<Record<string, string>>;

export const FILES: Files = {
  "dist/docker-0.9.0.tgz": "the very docker\n".repeat(4_000),
  "dist/docker-0.9.0-src.tgz": "its sources\n".repeat(2_000),
  "dist/install.sh": "#!/bin/sh\necho installed\n",
};

export function releaseConfig(endpoint: string, dataDir: string, more = ""): string {
  const bucket = `endpoint: "${endpoint}", access_key: "${S3_KEY.accessKey}", secret_key: "${S3_KEY.secretKey}"`;
  return `
url: https://ci.example.org
deployment: production
data: ${dataDir}
irc: [{ name: libera, host: localhost, nick: docker-ci, channels: ["#docker-dev"] }]
notify: { rooms: ["libera/#docker-dev"], on: [broken, fixed, errored] }
people:
  ada: { irc: [libera/ada], roles: [developer] }
  bob: { irc: [libera/bob], roles: [developer, approver] }
  eve: { irc: [libera/eve], roles: [developer, approver] }
  dan: { irc: [libera/dan], roles: [approver] }
projects: { docker: { repo: /repositories/docker } }
releases: { docker: { bucket: ${BUCKET}, ${bucket}, approvals: 2, files: "dist/*"${more} } }
`;
}

const SETTINGS = { ...S3_SETTINGS, attempts: 3, connectMs: 1_000, idleMs: 1_000 };

/** Every name is the newest commit, and so is its sha. */
export function revisionsOf(
  revision: Revision,
): Pick<Revisions, "resolve" | "tag" | "between"> & { readonly tags: Map<string, string> } {
  const tags = new Map<string, string>();
  return {
    tags,
    async resolve(_repo, ref) {
      return String(ref) === revision.sha ? { ...revision, kind: "commit", ref } : revision;
    },
    async tag(_repo, name, sha) {
      tags.set(name, sha);
    },
    async between() {
      return [{ sha: revision.sha, author: "bob", title: revision.title, files: [] }];
    },
  };
}

export interface ReleaseSite extends AsyncDisposable {
  readonly server: S3TestServer;
  readonly records: Records;
  readonly releases: ReleaseStore;
  readonly config: Config;
  /** The key of the releases. */
  readonly signing: QuickSigner;
  readonly scene: ReleaseScene & { readonly audit: Audit };
  readonly dataDir: string;
  /** What the next builds leave behind; undefined: they fail. */
  files: Files | undefined;
  /** Has its approvals. */
  approved(version: string, changes?: Partial<ReleasePlan>): Promise<Release>;
  /** Drives it to its end. */
  published(version: string, changes?: Partial<ReleasePlan>): Promise<Release>;
  over(release: Release): Promise<Release>;
  /** As if a version had been published before. */
  seed(version: string, key?: string): Promise<void>;
  /** What `latest` says; "" where there is nothing. */
  latest(key?: string): Promise<string>;
  /** The lines that wait to be said in the room. */
  said(): Promise<string[]>;
  /** Names and contents of a version, or of all there is. */
  served(prefix: string, bucket?: string): Promise<Map<string, Buffer>>;
}

type Given = Pick<ReleaseScene, "config" | "redis" | "builds" | "releases" | "log" | "revisions">;

/** With the patience of a test. */
export function releaseScene({ signing, ...given }: Given & { readonly signing: QuickSigner }): ReleaseSite["scene"] {
  const clock = { now: () => new Date() };
  return {
    ...given,
    clock,
    openStore: async (bucket) => openS3(bucket, SETTINGS),
    openSigner: async () => signing.signer,
    verifySignature: verifyQuickly,
    claimBucket,
    runtime: undefined,
    forgeApis: undefined,
    audit: createAudit(given.redis, clock),
    subscriptions: createSubscriptions(given.redis, clock),
    retriesMs: [50],
    buildLookMs: 20,
    instance: "aaaaaaaa",
    chats: new Map(),
    lookMs: 50,
    leaseMs: 2_000,
  };
}

/** @param more keys of the release. @param outside changes of the whole configuration's text. */
export async function openReleaseSite(more = "", outside = (text: string) => text): Promise<ReleaseSite> {
  const server = await startS3({ buckets: [BUCKET, NIGHTS] });
  const folder = await temporaryFolder();
  const signing = quickSigner();
  const config = configOf(outside(releaseConfig(server.endpoint, folder.path, more)));
  const records = await openRecords(config);
  const redis = records.redis.commands;
  const releases = createReleaseStore(redis, records.log);
  const { builds, log } = records;
  const scene = releaseScene({
    config,
    redis,
    builds,
    releases,
    signing,
    log,
    revisions: revisionsOf(revisionOf("6")),
  });
  const working = startWorker(records, folder.path, () => site.files);
  const site: ReleaseSite = {
    server,
    records,
    releases,
    config,
    signing,
    scene,
    dataDir: folder.path,
    files: FILES,
    approved: (version, changes) => approve(site, version, changes),
    async published(version, changes) {
      const release = await site.approved(version, changes);
      await using _driver = startReleases(scene);
      return await site.over(release);
    },
    over: ({ number }) =>
      waitFor(
        `R${number} to be over`,
        async () => {
          const release = await releases.get(number);
          return release !== undefined && isOver(release) && release;
        },
        {
          timeoutMs: 40_000,
          seen: () => JSON.stringify(records.entries(40).map(({ msg, reason, err }) => ({ msg, reason, err }))),
        },
      ),
    async seed(version, key = "docker/latest") {
      await using store = openS3((config.releases.get(DOCKER) ?? fail()).target, SETTINGS);
      await store.put(key, Buffer.from(`${version}\n`), {}, new AbortController().signal);
    },
    async latest(key = "docker/latest") {
      const found = [BUCKET, NIGHTS].find((bucket) => server.objects(bucket).some((object) => object.key === key));
      return found === undefined ? "" : (await server.read(found, key)).toString();
    },
    async said() {
      const list = outboxKey({ network: config.irc[0]?.name ?? fail(), kind: "channel", name: "#docker-dev" });
      const entries = (await redis.lrange(list, 0, -1)).flatMap((json) => parseEntry(json) ?? []);
      return entries.flatMap(({ outgoing }) => outgoing.reply.lines.map(lineText));
    },
    async served(prefix, bucket = BUCKET) {
      const found = new Map<string, Buffer>();
      for (const { key } of server.objects(bucket)) {
        if (key.startsWith(prefix)) found.set(key.slice(prefix.length), await server.read(bucket, key));
      }
      return found;
    },
    async [Symbol.asyncDispose]() {
      await working[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
  return site;
}

/** The scene with something that happens before or after an object is put, or copied to its place. */
export function withPuts(
  scene: ReleaseScene,
  happens: { before?(key: string): Promise<unknown>; after?(key: string): Promise<unknown> },
): ReleaseScene {
  return {
    ...scene,
    async openStore(bucket) {
      const store = await scene.openStore(bucket);
      return {
        ...store,
        async put(key, content, options, signal) {
          await happens.before?.(key);
          const stored = await store.put(key, content, options, signal);
          await happens.after?.(key);
          return stored;
        },
        async copy(from, to, signal) {
          await happens.before?.(to);
          await store.copy(from, to, signal);
          await happens.after?.(to);
        },
      };
    },
  };
}

function fail(): never {
  throw new Error("the configuration has a network");
}

/** Takes every build that waits, and ends it at once. */
function startWorker(records: Records, dataDir: string, files: () => Files | undefined): AsyncDisposable {
  let stopped = false;
  const work = async (): Promise<void> => {
    for (const build of await records.store.inState("queued")) await runBuild(records, dataDir, build, files());
  };
  const loop = (async () => {
    while (!stopped) {
      await work();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      await loop;
    },
  };
}

async function runBuild(records: Records, dataDir: string, build: Build, files: Files | undefined): Promise<Build> {
  const running = await records.begin(build, 60);
  const times = { startedAt: "2026-03-01T11:59:00.000Z", finishedAt: "2026-03-01T12:00:00.000Z" };
  if (files === undefined) return records.end(running, { kind: "failed", ...times, reason: "step tests, exit 1" });
  const folder = leftBehind(dataDir, build).artifacts;
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const artifacts = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.byteLength(text) }));
  const step = { name: StepName.parse("dist"), kind: "run", state: "passed", durationMs: 1, artifacts } as const;
  return records.end(running, { kind: "passed", ...times }, { steps: [step] });
}

async function approve(
  { config, releases, signing }: ReleaseSite,
  versionText: string,
  changes: Partial<ReleasePlan> = {},
): Promise<Release> {
  const version = Version.parse(versionText);
  const settings = config.releases.get(DOCKER) ?? fail();
  const revision = revisionOf("6");
  const place = placeOf(settings, DOCKER, version);
  const { pointers } = place;
  const plan: ReleasePlan = {
    project: DOCKER,
    version,
    kind: "release",
    ref: GitRef.parse("main"),
    sha: revision.sha,
    title: revision.title,
    author: revision.author,
    pipeline: pipelineDigest(config, DOCKER) ?? "",
    target: place.target,
    ...(changes.kind === "rollback" ? {} : smokeTestOf(settings)),
    ...(pointers === undefined || changes.noLatest === true ? {} : { pointers: [...pointers] }),
    key: signing.key.fingerprint,
    commits: [{ sha: revision.sha, author: "bob", title: "Fix *all* of it, says @eve" }],
    commitsCut: false,
    commitsSince: Version.parse("0.8.1"),
    approvals: 2,
    approvers: ["bob", "eve"],
    forced: false,
    ...changes,
  };
  const digest = planDigest(plan);
  const at = new Date().toISOString();
  const room = { network: config.irc[0]?.name ?? fail(), kind: "channel", name: "#docker-dev" } as const;
  return releases.create(
    {
      origin: "person",
      plan,
      digest,
      requester: { name: "ada", displayName: "ada", network: room.network, room },
      askedBy: "person:ada",
      requestedAt: at,
      votes: ["bob", "eve"].map((by) => ({ by, network: "libera", at, digest })),
      state: { kind: "publishing", startedAt: at, step: "check" },
    },
    undefined,
    () => [],
  );
}

/** Whether a version is whole: its manifest, and every file as that says. */
export function isWhole(served: ReadonlyMap<string, Buffer>): boolean {
  const manifest = parseManifest(served.get("manifest.json")?.toString() ?? "");
  if (manifest === undefined || !served.has("manifest.json.asc") || !served.has("SHA256SUMS.asc")) return false;
  return manifest.files.every(({ name, sha256 }) => sha256Of(served.get(name) ?? "") === sha256);
}
