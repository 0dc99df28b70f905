/** Steps side by side on the real engine: lanes, cancels, hand-overs, and what a broken machinery leaves. */
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../../src/errors.ts";
import { createMask } from "../../src/pipeline/masking.ts";
import { removeLeftovers } from "../../src/pipeline/run.ts";
import { Cancelled, HandedOver } from "../../src/pipeline/stop.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { waitFor } from "../support/wait-for.ts";
import { LIMITS, openWorkbench, PROJECT, step, steps } from "../support/workbench.ts";

const matrix = (values: string) => `matrix: { NODE: ${values} }\n`;

describe("a matrix", () => {
  test("is one lane for each value: its image, its variable, its lines in the log, its results", async () => {
    await using bench = await openWorkbench({
      Dockerfile: `FROM ${BASE_IMAGE}\nARG NODE\nRUN echo "built for $NODE" > /made\n`,
    });
    const own = '- { name: tests, image: image, run: "echo $(cat /made), run for $NODE; [ $NODE = 20 ]" }';
    const pipeline = `${steps("- { name: image, build: . }", own, step("true", "", "package"))}${matrix('["20", "22"]')}`;
    const results = await bench.run(pipeline);
    expect(results.map(({ id, lane, state }) => [id, lane?.NODE, state])).toEqual([
      ["image.1", "20", "passed"],
      ["tests.1", "20", "passed"],
      ["package.1", "20", "passed"],
      ["image.2", "22", "passed"],
      ["tests.2", "22", "failed"],
      ["package.2", "22", "skipped"],
    ]);
    expect(bench.log.text).toContain("\ntests NODE=20 │ built for 20, run for 20\n");
    expect(bench.log.text).toContain("\ntests NODE=22 │ built for 22, run for 22\n");
    expect(bench.log.text).toMatch(/^tests NODE=22 │ ── step 5 of 6: tests NODE=22 · \d\d:\d\d:\d\d UTC · in image$/m);
    expect(bench.log.text).toMatch(/^tests NODE=22 │ ── step tests NODE=22 failed in .*: exit 1$/m);
    const stray = bench.log.text.split("\n").filter((line) => line !== "" && !/^\w+ NODE=2[02] │ /.test(line));
    expect(stray).toEqual([]);
  });

  test("is told of one step at a time, with the results in the order of the plan", async () => {
    await using bench = await openWorkbench();
    const told: string[] = [];
    let isTelling = false;
    const tell = async (text: string): Promise<void> => {
      expect(isTelling).toBe(false);
      isTelling = true;
      await new Promise((resolve) => setTimeout(resolve, 20));
      isTelling = false;
      told.push(text);
    };
    await bench.run(`${steps(step("[ $NODE = b ] || sleep 1"))}${matrix("[a, b]")}`, {}, undefined, {
      started: ({ id }, index, count) => tell(`${id} ${index}/${count}`),
      ended: (results) => tell(results.map(({ id, state }) => `${id} ${state}`).join()),
    });
    expect(told).toEqual([
      "tests.1 1/2",
      "tests.2 2/2",
      "tests.2 passed",
      "tests.1 passed,tests.2 passed",
      "tests.1 passed,tests.2 passed",
    ]);
  });
});

describe("side by side", () => {
  test("steps meet, as many at a time as the engine has CPUs, two at the least", async () => {
    const changed = ({ info }: ContainerRuntime) => ({ info: async () => ({ ...(await info()), cpus: 1 }) });
    await using bench = await openWorkbench({}, changed);
    let most = 0;
    const working = new Set<string>();
    const names = ["a", "b", "c", "d"];
    const lines = names.map((name) => step("sleep 0.4", "needs: []", name));
    await bench.run(steps(...lines), {}, undefined, {
      async started({ id }) {
        working.add(id);
        most = Math.max(most, working.size);
      },
      async ended(results) {
        for (const { name } of results) working.delete(name);
      },
    });
    expect(most).toBe(2);
  });

  test("a secret is an environment variable, and nowhere in the log (O-17, O-57)", async () => {
    await using bench = await openWorkbench();
    const secret = "open sesame & more";
    const pipeline = steps(
      step('echo "$TOKEN"; printf "%s" "$TOKEN" | base64; exit 1', "allow_failure: true"),
      "- { name: image, build: . }",
    );
    const changes = { secrets: { TOKEN: secret }, mask: createMask([secret]) };
    const results = await bench.run(`${pipeline}${matrix("[a, b]")}`, changes);
    expect(bench.log.text).toMatch(/^tests NODE=a │ \*\*\*$/m);
    expect(bench.log.text).not.toContain("sesame");
    expect(JSON.stringify(results)).not.toContain("sesame");
    expect(bench.log.text).not.toContain(Buffer.from(secret).toString("base64").slice(4, 12));
  });
});

describe("stopping in the middle of two lanes", () => {
  const lanes = (script: string) => `${steps(step(script))}${matrix("[a, b]")}`;
  const lineOf = (lane: string, line: string) => `tests NODE=${lane} │ ${line}\n`;

  test("a cancel ends both within ten seconds with its own reason, and their containers are gone", async () => {
    await using bench = await openWorkbench();
    const cancel = new AbortController();
    const reason = new Cancelled("ada", undefined);
    const run = bench.run(lanes("trap '' TERM; echo here; while :; do sleep 1; done"), {}, cancel.signal);
    let cancelledAt = 0;
    await Promise.all([
      expect(run).rejects.toBe(reason),
      waitFor("both to run", () => ["a", "b"].every((lane) => bench.log.text.includes(lineOf(lane, "here")))).then(
        () => {
          cancelledAt = Date.now();
          cancel.abort(reason);
        },
      ),
    ]);
    expect(Date.now() - cancelledAt).toBeLessThan(10_000);
    expect(await bench.corner.runtime.find(bench.corner.labels)).toEqual([]);
  });

  const COUNTING = "for i in 1 2 3 4 5 6 7 8; do printf 'part '; sleep 0.2; echo $i; done; hostname; [ $NODE = a ]";

  test("a hand-over leaves both running, and the next attempt misses and doubles nothing of either", async () => {
    await using bench = await openWorkbench();
    const handOver = new AbortController();
    const reason = new HandedOver();
    const first = bench.run(lanes(COUNTING), {}, handOver.signal);
    await Promise.all([
      expect(first).rejects.toBe(reason),
      waitFor("both to count", () => ["a", "b"].every((lane) => bench.log.text.includes(lineOf(lane, "part 2")))).then(
        () => handOver.abort(reason),
      ),
    ]);
    const found = await bench.corner.runtime.find(bench.corner.labels);
    expect(found.map(({ state }) => state)).toEqual(["running", "running"]);

    expect(await bench.ends(lanes(COUNTING), { attempt: 2 })).toEqual(["tests passed", "tests failed: exit 1"]);
    for (const lane of ["a", "b"]) {
      const lines = bench.log.text.split("\n").filter((line) => line.startsWith(`tests NODE=${lane} │ part`));
      expect(lines).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `tests NODE=${lane} │ part ${number}`));
    }
    for (const { container } of found) expect(bench.log.text).toContain(` │ ${container.id.slice(0, 12)}\n`);
    expect(bench.log.text.match(/── step . of 2/g)).toHaveLength(2);
    await removeLeftovers(bench.corner.runtime, bench.corner.labels);
    expect(await bench.corner.runtime.find(bench.corner.labels)).toEqual([]);
  });

  test("when the machinery breaks under one, the other goes on in its container until the next attempt", async () => {
    let isBroken = true;
    const changed = ({ start }: ContainerRuntime) => ({
      async start(...given: Parameters<typeof start>) {
        if (given[0].env.NODE !== "b" || !isBroken) return start(...given);
        await waitFor("the other to count", () => bench.log.text.includes(lineOf("a", "part 1")));
        throw new RuntimeError("the engine is out of sorts");
      },
    });
    await using bench = await openWorkbench({}, changed);
    await expect(bench.run(lanes(COUNTING))).rejects.toThrow("the engine is out of sorts");
    const found = await bench.corner.runtime.find(bench.corner.labels);
    expect(found.map(({ state }) => state)).toEqual(["running"]);
    isBroken = false;
    expect(await bench.ends(lanes(COUNTING), { attempt: 2 })).toEqual(["tests passed", "tests failed: exit 1"]);
    const lines = bench.log.text.split("\n").filter((line) => line.startsWith("tests NODE=a │ part"));
    expect(lines).toHaveLength(8);
    expect(bench.log.text).toContain(lineOf("a", `${found[0]?.container.id.slice(0, 12)}`));
  });
});

test("a plan without parallelism asks the engine for nothing that it does not need", async () => {
  const asked: string[] = [];
  const counting = (runtime: ContainerRuntime): Partial<ContainerRuntime> => ({
    info: (signal) => {
      asked.push("info");
      return runtime.info(signal);
    },
    find: (labels) => {
      asked.push("find");
      return runtime.find(labels);
    },
    findVolumes: (labels) => {
      asked.push("findVolumes");
      return runtime.findVolumes(labels);
    },
    createNetwork: (...network) => {
      asked.push("createNetwork");
      return runtime.createNetwork(...network);
    },
  });
  await using bench = await openWorkbench({}, counting);
  await bench.run(steps(step("true", "", "a"), step("true", "", "b")), { project: { ...PROJECT, limits: LIMITS } });
  expect(asked).toEqual(["createNetwork"]);
});
