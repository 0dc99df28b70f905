/**
 * (a) From the message `!build hello` to the line with its result in the channel, beside hello.sh, which does the same work from
 * a shell: of a repository on this machine, as a first start has it, and of one behind a git server, where every round has a new
 * commit of the same files, so that there is something to fetch and every layer is cached.
 */
import { execFile, spawn } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import Docker from "dockerode";
import { Redis } from "ioredis";
import { Build } from "../src/builds/build.ts";
import { PACKAGE_FOLDER } from "../src/package.ts";
import { openGitRepository, serveByDaemon } from "../test/support/git-servers.ts";
import type { Person } from "../test/support/irc-client.ts";
import { startNgircd } from "../test/support/ngircd.ts";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { waitFor } from "../test/support/wait-for.ts";
import { mark, median, printTable, shownMs } from "./numbers.ts";
import { type Benchmark, CHANNEL, onServers, openSite, personIn, startAndSettle } from "./scene.ts";

const ROUNDS = 15;
const TARGET = 1.25;
const IMAGE = "docker-ci-bench/hello";
const SCRIPT = fileURLToPath(new URL("hello.sh", import.meta.url));
/** Between two measurements, for what the one before still has under way in the engine: the testbuilder's new spares, last. */
const REST_MS = 1_000;

export const buildHello: Benchmark = { title: `!build hello, and the same from a shell (${ROUNDS} rounds)`, run };

/** Milliseconds of each part, in order. */
type Parts = Readonly<Record<string, number>>;

async function run(signal: AbortSignal): Promise<boolean> {
  await using here = await openGitRepository();
  await using there = await openGitRepository();
  for (const repository of [here, there]) {
    await cp(join(PACKAGE_FOLDER, "examples/hello/project"), repository.path, { recursive: true });
    await repository.commit("hello", {});
  }
  await using server = await serveByDaemon(there.root);
  await using kept = await temporaryFolder();
  await using ircd = await startNgircd();
  await using ada = await personIn(ircd, "ada");
  const repo = here.path;
  await using site = await openSite(
    onServers(
      [ircd],
      `projects: { hello: { repo: ${repo} }, hello-classic: { repo: ${repo}, builder: classic }, hello-git: { repo: "${server.address}" } }`,
    ),
  );
  await startAndSettle(site, ada);
  const instance = await site.instance();
  await using events = followEvents(instance);
  const redis = new Redis({ path: join(site.folder, "data/redis/redis.sock") });

  const script = (address: string, name: string) => async () => runScript(address, join(kept.path, name), name);
  const bot = (project: string) => async () => {
    const build = await ask(ada, project);
    await engineIsTidy(instance);
    return partsOf(
      build,
      Build.parse(JSON.parse((await redis.hget(`docker-ci:build:${build.number}`, "json")) ?? "")),
      {
        ...events.of(build.number),
      },
    );
  };
  const measured = {
    "shell script": script(`file://${repo}`, "local"),
    "builder: auto": bot("hello"),
    "builder: classic": bot("hello-classic"),
    "script, git://": script(server.address, "git"),
    "auto, git://": bot("hello-git"),
  };
  const samples = new Map<string, Parts[]>(Object.keys(measured).map((name) => [name, []]));
  try {
    // The first round warms the caches.
    for (let round = 0; round <= ROUNDS; round += 1) {
      await there.commit(`round ${round}`, {});
      for (const [name, measure] of Object.entries(measured)) {
        signal.throwIfAborted();
        const parts = await measure();
        if (round > 0) samples.get(name)?.push(parts);
        await sleep(REST_MS);
      }
    }
  } finally {
    redis.disconnect();
    for (const name of ["local", "git"]) {
      await new Docker()
        .getImage(`${IMAGE}:${name}`)
        .remove({ force: true })
        .catch(() => undefined /* never built */);
    }
  }
  return report(samples);
}

async function runScript(address: string, kept: string, name: string): Promise<Parts> {
  const { stdout } = await promisify(execFile)(SCRIPT, [address, kept, `${IMAGE}:${name}`]);
  const [start = 0, fetched = 0, built = 0, ran = 0, end = 0] = stdout
    .split("\n")
    .map((seconds) => Number(seconds) * 1_000);
  return {
    fetch: fetched - start,
    "docker build": built - fetched,
    "docker run": ran - built,
    "docker cp": end - ran,
    whole: end - start,
  };
}

interface Asked {
  readonly number: number;
  readonly saidAt: number;
  readonly queuedAt: number;
  readonly resultAt: number;
}

async function ask(person: Person, project: string): Promise<Asked> {
  const saidAt = performance.timeOrigin + performance.now();
  person.say(CHANNEL, `!build ${project}`);
  const queued = await person.hear(/:ada: /, 30_000);
  const number = Number(new RegExp(` ${project} #(\\d+) queued`).exec(queued)?.[1]);
  if (Number.isNaN(number)) throw new Error(`!build ${project} was answered with ${queued}`);
  const queuedAt = performance.timeOrigin + performance.now();
  const result = await person.hear(new RegExp(`:ada: .*${project} #${number} `), 60_000);
  const resultAt = performance.timeOrigin + performance.now();
  if (!result.includes(" passed in ")) throw new Error(`!build ${project} ended with ${result}`);
  return { number, saidAt, queuedAt, resultAt };
}

/** What docker-ci removes after a build's result, it removes on nobody else's time. */
async function engineIsTidy(instance: string): Promise<void> {
  const filters = { label: [`docker-ci.instance=${instance}`] };
  await waitFor("the build's network to go", async () => (await new Docker().listNetworks({ filters })).length === 0);
}

/** When the engine did what for a build, in milliseconds since 1970: docker-ci's record does not go into such detail. */
type EngineTimes = Readonly<Partial<Record<"create" | "start" | "die" | "destroy", number>>>;

function followEvents(instance: string): AsyncDisposable & { of(build: number): EngineTimes } {
  const filter = ["--filter", `label=docker-ci.instance=${instance}`, "--filter", "type=container"];
  const child = spawn("docker", ["events", "--format", "{{json .}}", ...filter], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    of(build) {
      const mine = text
        .split("\n")
        .filter((line) => line.includes(`"docker-ci.build":"${build}"`) && line.endsWith("}"));
      return Object.fromEntries(
        mine
          .filter((line) => line.includes('"docker-ci.step":"tests"'))
          .map((line): [string, number] => {
            const { status, timeNano }: { status: string; timeNano: number } = JSON.parse(line);
            return [status, timeNano / 1e6];
          }),
      );
    },
    async [Symbol.asyncDispose]() {
      child.kill();
    },
  };
}

function partsOf(asked: Asked, { requestedAt, state, steps }: Build, engine: EngineTimes): Parts {
  const [image, tests] = steps;
  const at = (iso: string | undefined): number => (iso === undefined ? Number.NaN : Date.parse(iso));
  const imageEnd = at(image?.startedAt) + (image?.durationMs ?? Number.NaN);
  const testsEnd = at(tests?.startedAt) + (tests?.durationMs ?? Number.NaN);
  const { create = Number.NaN, start = Number.NaN, die = Number.NaN } = engine;
  const marks: readonly (readonly [string, number])[] = [
    ["heard, revision resolved", at(requestedAt)],
    ["recorded, queued, taken by a worker", "startedAt" in state ? at(state.startedAt) : Number.NaN],
    ["fetched and packed, network made", at(image?.startedAt)],
    ["docker build", imageEnd],
    ["container created", create],
    ["container started", start],
    ["test suite runs", die],
    ["exit seen, log read to its end", testsEnd],
    ["log kept, record written", "finishedAt" in state ? at(state.finishedAt) : Number.NaN],
    ["announced in the channel", asked.resultAt],
  ];
  let before = asked.saidAt;
  const parts: Record<string, number> = {};
  for (const [name, time] of marks) {
    parts[name] = time - before;
    before = time;
  }
  return { ...parts, whole: asked.resultAt - asked.saidAt };
}

function report(samples: ReadonlyMap<string, readonly Parts[]>): boolean {
  const of = (name: string, part: string): number =>
    median((samples.get(name) ?? []).flatMap((parts) => parts[part] ?? []));
  let reached = true;
  const line = (name: string, what: string, script: string): void => {
    const ratio = of(name, "whole") / of(script, "whole");
    reached = reached && ratio <= TARGET;
    console.log(
      `  ${mark(ratio <= TARGET)} ${what}: ${shownMs(of(name, "whole"))}, ${ratio.toFixed(2)} × the script's ${shownMs(of(script, "whole"))} (to reach: at most ${TARGET})`,
    );
  };
  line("builder: auto", "builder: auto (BuildKit)", "shell script");
  line("builder: classic", "builder: classic", "shell script");
  line("auto, git://", "builder: auto, from a git:// server", "script, git://");

  const names = ["builder: auto", "builder: classic", "auto, git://"];
  const parts = Object.keys(samples.get("builder: auto")?.[0] ?? {});
  console.log("\n  Where docker-ci's time goes (medians, ms):");
  printTable([["", ...names], ...parts.map((part) => [part, ...names.map((name) => of(name, part).toFixed(0))])]);
  console.log("\n  and the script's:");
  const scripts = ["shell script", "script, git://"];
  const scriptParts = Object.keys(samples.get("shell script")?.[0] ?? {});
  printTable([
    ["", ...scripts],
    ...scriptParts.map((part) => [part, ...scripts.map((name) => of(name, part).toFixed(0))]),
  ]);
  return reached;
}
