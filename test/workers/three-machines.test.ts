/**
 * Three workers on machines of their own, Redis with TLS and ACL on a fourth: whatever is cut off, killed or started again, every
 * build ends once. DOCKER_CI_ELSEWHERE=60 is the long form.
 */
import Docker from "dockerode";
import { expect, test } from "vitest";
import { z } from "zod";
import { openHeadquarters } from "../support/distant-worker.ts";
import type { DockerCiProcess, Site } from "../support/docker-ci.ts";
import { openMachines } from "../support/network-namespaces.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startTlsRedis } from "../support/tls-redis.ts";
import { waitFor } from "../support/wait-for.ts";

const BUILDS = Number(process.env.DOCKER_CI_ELSEWHERE ?? 9);
const PIPELINE = "steps: [{ name: nothing, image: docker-ci/base, run: sleep 2 }]\n";
const Event = z.object({
  build: z.object({ number: z.number(), state: z.object({ kind: z.string(), worker: z.string().optional() }) }),
});
const OVER = ["passed", "failed", "errored", "cancelled"];

interface Worker {
  readonly name: string;
  readonly site: Site;
  process: DockerCiProcess;
}

test(
  "one worker is cut off, one is killed, Redis is started again: every build ends once, and its log is there",
  async () => {
    await using machines = await openMachines();
    await using repository = await temporaryFolder();
    await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE });
    const far = await machines.add("redis");
    await using redis = await startTlsRedis(far.address, far.launcher);
    const projects = `{ hello: { repo: ${repository.path}, network: none, limits: { memory: 64m } } }`;
    await using bot = await openHeadquarters(redis, projects, "", { host: machines.here });
    const main = bot.site.run(["start", "--no-worker"]);
    await waitFor("the page", async () => (await fetch(`${bot.site.url}/healthz`)).ok, { seen: () => main.stdout() });
    const workers: Worker[] = [];
    const cables: ((isIn: boolean) => Promise<void>)[] = [];
    for (const name of ["w1", "w2", "w3"]) {
      const machine = await machines.add(name);
      const site = await bot.worker(name, await bot.token(name), "concurrency: 2", { launcher: machine.launcher });
      workers.push({ name, site, process: site.run(["worker"]) });
      cables.push(machine.plug);
    }
    const [first, second] = workers;
    const [cutOff] = cables;
    if (first === undefined || second === undefined || cutOff === undefined) throw new Error("there are three");
    await waitFor(
      "all workers",
      async () => {
        const answer = await fetch(`${bot.site.url}/api/workers`);
        const { workers: up } = z
          .object({ workers: z.array(z.object({ labels: z.array(z.string()) })) })
          .parse(await answer.json());
        return up.length === 3 && up.every(({ labels }) => labels.length > 0);
      },
      {
        timeoutMs: 30_000,
        seen: () => workers.map((worker) => worker.process.stdout() + worker.process.stderr()).join("\n"),
      },
    );

    const ends = new Map<number, number>();
    const began = new Set<string>();
    const listener = redis.connect();
    listener.on("message", (_channel, json: string) => {
      const { build } = Event.parse(JSON.parse(json));
      if (build.state.worker !== undefined) began.add(build.state.worker);
      if (OVER.includes(build.state.kind)) ends.set(build.number, (ends.get(build.number) ?? 0) + 1);
    });
    await listener.subscribe("docker-ci:events");
    const numbers: number[] = [];
    for (let count = 0; count < BUILDS; count += 1) numbers.push(await bot.build("hello"));
    const running = async (worker: string) => {
      const builds = await Promise.all(numbers.map(bot.look));
      return builds.some((build) => build.state === "running" && build.worker === worker);
    };
    await waitFor("the first to be at work", () => running("w1"), { timeoutMs: 30_000 });
    await cutOff(false);
    await waitFor("the second to be at work", () => running("w2"), { timeoutMs: 30_000 });
    await second.process.kill();
    await waitFor("some to be over", () => ends.size >= Math.ceil(BUILDS / 3), { timeoutMs: 120_000 });
    await redis.kill();
    await redis.start();
    second.process = second.site.run(["worker"]);
    await cutOff(true);

    const over = await Promise.all(numbers.map((number) => bot.over(number, 300_000)));
    const others = over.filter(({ state }) => state !== "passed");
    expect(others).toEqual([]);
    for (const number of numbers) {
      // What a worker could not deliver while it was cut off comes when it is back.
      let text = "";
      await waitFor(
        `the log of #${number}`,
        async () => {
          const log = await bot.log(number);
          text = log.ok ? await log.text() : "";
          return text.includes("── passed in");
        },
        { timeoutMs: 60_000, seen: () => text },
      );
      // One that was killed between its last line and the record's end says it twice, and goes on in the same log.
      expect(text.trimEnd().split("\n").at(-1), text).toMatch(/^── passed in/);
      expect(text.match(/^── hello #/gm), text).toHaveLength(1);
      expect(ends.get(number) ?? 1).toBe(1);
    }
    expect(began.size).toBe(3);

    // Whoever came back has removed what was left on the engine under its name.
    for (const { site } of workers) {
      const label = [`docker-ci.instance=${await site.instance()}`];
      await waitFor(
        "nothing to be left",
        async () => (await new Docker().listContainers({ all: true, filters: { label } })).length === 0,
        { timeoutMs: 30_000 },
      );
    }
  },
  BUILDS * 10_000 + 120_000,
);
