/** The job of a build, on a real engine and real records. */
import { expect, test } from "vitest";
import { createBuildRunner } from "../../jobs/build.ts";
import { watchCancellations } from "../../src/builds/cancellations.ts";
import { openLog } from "../../src/builds/log-files.ts";
import type { BuildStore } from "../../src/builds/store.ts";
import { createFlakyLedger } from "../../src/flaky/ledger.ts";
import { createQuarantine } from "../../src/flaky/quarantine.ts";
import { never, openCorner, readAll, tarOf } from "../support/docker.ts";
import { cleanEngine } from "../support/docker-ci.ts";
import { clock, configOf, openRecords, revisions } from "../support/records.ts";

const PIPELINE = "steps: [{ name: only, image: docker-ci/base, run: echo done }]\n";

/** A worker's runner, of which the test may change the store. */
async function openRunner(changed: (store: BuildStore) => BuildStore) {
  const records = await openRecords(configOf("projects: { hello: { repo: /r/hello, network: none } }"));
  const corner = openCorner();
  const instance = corner.name("instance");
  const { redis, log, builds } = records;
  const cancellations = await watchCancellations(builds, redis.open(), log);
  const config = { ...records.config, dataDir: records.dataDir };
  const runner = createBuildRunner({
    ...records,
    config,
    store: changed(records.store),
    engine: {
      runtime: corner.runtime,
      revisions: { ...revisions, pack: async () => tarOf({ ".docker-ci.yml": PIPELINE }), warm: async () => undefined },
    },
    cancellations,
    quarantine: createQuarantine(redis.commands, clock, log),
    flaky: createFlakyLedger(redis.commands, clock, log),
    instance,
    live: () => () => undefined,
    labels: () => [],
    delivery: undefined,
  });
  return {
    ...records,
    runner,
    async logOf(number: number): Promise<string> {
      const log = await openLog(`${records.dataDir}/docker-ci/logs`, number);
      return log === undefined ? "" : (await readAll(log)).toString();
    },
    async [Symbol.asyncDispose]() {
      await runner.settled();
      await cancellations[Symbol.asyncDispose]();
      await cleanEngine(instance);
      await corner[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}

test("a Redis that does not answer for longer than two tries would last costs a build nothing", async () => {
  let timeouts = 2;
  await using worker = await openRunner((store) => ({
    ...store,
    async setPlan(number, plan) {
      timeouts -= 1;
      // What ioredis says after the time that a command may take.
      if (timeouts >= 0) throw new Error("Command timed out");
      return store.setPlan(number, plan);
    },
  }));
  const { number } = await worker.create("hello");
  expect(await worker.runner.run(number, never)).toBe("done");
  expect((await worker.store.get(number))?.state.kind).toBe("passed");
  const log = await worker.logOf(number);
  expect(log.match(/── Redis does not answer; going on when it does/g)).toHaveLength(1);
  expect(log).toContain("done\n");
  expect(log).not.toContain("could not go on");
});

test("a log begins with what is built, also where the first worker died before it had written a line", async () => {
  await using worker = await openRunner((store) => store);
  const { number } = await worker.begin(await worker.create("hello"));
  expect(await worker.runner.run(number, never)).toBe("done");
  const log = await worker.logOf(number);
  expect(log.match(/^── hello #1 · main/gm)).toHaveLength(1);
  expect(log).toMatch(/^── hello #1[^\n]*\n── attempt 2: going on after the worker was lost\n/);
});
