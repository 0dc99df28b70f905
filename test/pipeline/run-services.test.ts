/** Services of a step on the real engine: found by name, waited for, told of when they fail, and gone with the step. */
import { beforeAll, describe, expect, test } from "vitest";
import { createMask } from "../../src/pipeline/masking.ts";
import { Cancelled, HandedOver } from "../../src/pipeline/stop.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";
import { type Corner, openCorner } from "../support/docker.ts";
import { waitFor } from "../support/wait-for.ts";
import { LIMITS, openWorkbench, PROJECT, step, steps, type Workbench } from "../support/workbench.ts";

/** Says a word to everyone who connects, as soon as it has slept. */
const SERVER = `const { createServer } = require("net");
console.log("warming up"); console.error("the word is", process.env.WORD);
setTimeout(() => createServer((s) => s.end(process.env.WORD + "\\n")).listen(7000), Number(process.env.DELAY ?? 0));
`;
const CLIENT = `require("net").connect(7000, process.argv[2]).on("error", () => process.exit(1)).pipe(process.stdout);
`;
const READY = "node /client.js localhost";

let corner: Corner;
let image: string;
beforeAll(async () => {
  corner = openCorner();
  image = `${corner.name("server")}:latest`;
  const lines = 'COPY server.js client.js /\nCMD ["node", "/server.js"]';
  const built = await corner.runtime.buildImage(
    corner.build(lines, { tag: image }, { "server.js": SERVER, "client.js": CLIENT }),
  );
  expect(built.kind).toBe("built");
  return async () => await corner[Symbol.asyncDispose]();
});

const service = (name: string, env: Readonly<Record<string, string>> = {}, ready: string | undefined = READY) =>
  JSON.stringify({
    [name]: { image, ...(ready === "" ? {} : { ready }), env: { WORD: `hello from ${name}`, ...env } },
  });

const tests = (run: string, services: string, more = "") =>
  `- { name: tests, image: "${image}", run: ${JSON.stringify(run)}, services: ${services}${more === "" ? "" : `, ${more}`} }`;

async function leftOf({ corner: { runtime, labels } }: Workbench): Promise<string[]> {
  const found = await runtime.find(labels);
  const services = found.flatMap(({ container }) => container.labels["docker-ci.service"] ?? []);
  return [...services, ...(await runtime.findNetworks(labels)).map(({ name }) => name)];
}

describe("a service", () => {
  test("is found by its name and waited for, has its own environment, and is gone with the step", async () => {
    await using bench = await openWorkbench();
    const both = JSON.stringify({ ...JSON.parse(service("redis", { DELAY: "500" })), ...JSON.parse(service("db")) });
    const ends = await bench.ends(steps(tests("node /client.js redis; node /client.js db; [ -z $WORD ]", both)));
    expect(ends).toEqual(["tests passed"]);
    expect(bench.log.text).toContain("\nhello from redis\nhello from db\n── step tests passed");
    expect(await leftOf(bench)).toEqual([]);
  });

  test("is in a network of its step's own, which has a way out where the project has one", async () => {
    const made: unknown[] = [];
    const changed = ({ createNetwork }: ContainerRuntime) => ({
      async createNetwork(...network: Parameters<typeof createNetwork>) {
        made.push([network[0].replace(/^.*(?=-tests)/, "…"), network[2] ? "internal" : "with a way out"]);
        await createNetwork(...network);
      },
    });
    await using bench = await openWorkbench({}, changed);
    const line = tests("node /client.js redis", service("redis"));
    for (const [id, network] of [
      ["1", "none"],
      ["2", "internet"],
    ] as const) {
      const project = { ...PROJECT, network, limits: LIMITS };
      expect(await bench.ends(steps(line), { id: bench.corner.name(id), project })).toEqual(["tests passed"]);
    }
    // And none for the whole build, which no step would be in.
    expect(made).toEqual([
      ["…-tests", "internal"],
      ["…-tests", "with a way out"],
    ]);
    expect(await leftOf(bench)).toEqual([]);
  });

  test("that ends before it is ready fails the step, which is not begun, and its last lines say why", async () => {
    await using bench = await openWorkbench();
    const broken = JSON.stringify({
      redis: { image, ready: READY, env: { NODE_OPTIONS: "--nonsense" } },
    });
    expect(
      await bench.ends(steps(tests("echo never", broken)), {
        mask: createMask(["nonsense"]),
      }),
    ).toEqual(["tests failed: service redis ended before it was ready: exit 9"]);
    expect(bench.log.text).toMatch(/^redis │ .*--\*\*\* is not allowed in NODE_OPTIONS$/m);
    expect(bench.log.text).not.toMatch(/^never$/m);
    expect(await leftOf(bench)).toEqual([]);
  });

  test("that is not ready in time fails the step with its name; a long wait is told of", async () => {
    await using bench = await openWorkbench();
    const slow = tests("echo never", service("redis", { DELAY: "60000" }), "timeout: 4s");
    expect(await bench.ends(steps(slow))).toEqual([
      expect.stringMatching(/^tests failed: service redis was not ready after [34]s$/),
    ]);
    expect(bench.log.text.match(/── waiting for service redis to be ready/g)).toHaveLength(1);
    expect(bench.log.text).toContain("\nredis │ warming up\n");
    expect(bench.log.text).not.toMatch(/^never$/m);
  });

  test("that hangs over the first question is asked again", async () => {
    await using bench = await openWorkbench();
    const hangsOnce = "[ -e /tmp/asked ] || { touch /tmp/asked; sleep 60; }";
    expect(await bench.ends(steps(tests("true", service("redis", {}, hangsOnce))))).toEqual(["tests passed"]);
  });

  test("without a way to ask only has to run; its last 20 lines are told when the step fails, and not when it passes", async () => {
    await using bench = await openWorkbench();
    const failing = tests("sleep 1; exit 3", service("redis", {}, ""), "allow_failure: true");
    await bench.run(steps(failing));
    expect(bench.log.text).toContain("\nredis │ warming up\n");
    expect(bench.log.text).toContain("\nredis │ the word is hello from redis\n");
    const log = bench.log.text.length;
    await bench.run(steps(tests("sleep 1", service("redis", {}, ""))), { id: bench.corner.name("2") });
    expect(bench.log.text.slice(log)).not.toContain("redis │");
  });

  test("whose image cannot be pulled is the machinery's fault", async () => {
    await using bench = await openWorkbench();
    const run = bench.run(steps(step("true", 'services: { redis: "localhost:1/nothing:1" }')));
    await expect(run).rejects.toThrow(/^image localhost:1\/nothing:1 cannot be pulled/);
    expect(await leftOf(bench)).toEqual([]);
  });
});

describe("in the middle", () => {
  test("a cancel removes services, while they are waited for and while the step runs", async () => {
    await using bench = await openWorkbench();
    const scenes = [
      [
        tests("sleep 60", service("redis", { DELAY: "60000" })),
        () => bench.log.text.includes("── waiting for service"),
      ],
      [tests("echo here; sleep 60", service("redis")), () => /^here$/m.test(bench.log.text)],
    ] as const;
    for (const [index, [line, isThere]] of scenes.entries()) {
      const cancel = new AbortController();
      const reason = new Cancelled("ada", undefined);
      const run = bench.run(steps(line), { id: bench.corner.name(`${index}`) }, cancel.signal);
      await Promise.all([
        expect(run).rejects.toBe(reason),
        waitFor("the moment", isThere, { seen: () => bench.log.text }).then(() => cancel.abort(reason)),
      ]);
      expect(await leftOf(bench)).toEqual([]);
      expect(await bench.corner.runtime.find(bench.corner.labels)).toEqual([]);
    }
  });

  test("a hand-over leaves them with their step, and the next attempt goes on with both", async () => {
    await using bench = await openWorkbench();
    const handOver = new AbortController();
    const reason = new HandedOver();
    const line = tests("echo here; sleep 3; node /client.js redis", service("redis"));
    await Promise.all([
      expect(bench.run(steps(line), {}, handOver.signal)).rejects.toBe(reason),
      waitFor("the step to run", () => /^here$/m.test(bench.log.text)).then(() => handOver.abort(reason)),
    ]);
    expect(await leftOf(bench)).toHaveLength(2);
    expect(await bench.ends(steps(line), { attempt: 2 })).toEqual(["tests passed"]);
    expect(bench.log.text.match(/^(here|hello from redis)$/gm)).toEqual(["here", "hello from redis"]);
    expect(await leftOf(bench)).toEqual([]);
  });

  test("a hand-over while they are waited for: the next attempt begins them anew", async () => {
    await using bench = await openWorkbench();
    const handOver = new AbortController();
    const reason = new HandedOver();
    const waiting = tests("node /client.js redis", service("redis", { DELAY: "3500" }));
    await Promise.all([
      expect(bench.run(steps(waiting), {}, handOver.signal)).rejects.toBe(reason),
      waitFor("the wait", () => bench.log.text.includes("── waiting for")).then(() => handOver.abort(reason)),
    ]);
    expect(await leftOf(bench)).toHaveLength(2);
    const now = tests("node /client.js redis", service("redis", { WORD: "anew" }));
    expect(await bench.ends(steps(now), { attempt: 2 })).toEqual(["tests passed"]);
    expect(bench.log.text).toContain("\nanew\n");
    expect(await leftOf(bench)).toEqual([]);
  });
});
