/** A process that runs a pipeline with a build's log, for a test to kill: its one argument is JSON of what it takes. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { connectDocker } from "../../adapters/docker/index.ts";
import { Build } from "../../src/builds/build.ts";
import { BuildLog } from "../../src/builds/build-log.ts";
import { createMask } from "../../src/pipeline/masking.ts";
import { planBuild } from "../../src/pipeline/plan.ts";
import { runPipeline } from "../../src/pipeline/run.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";
import { never } from "./docker.ts";
import { LIMITS, PROJECT } from "./workbench.ts";

export const KilledRun = z.strictObject({
  folder: z.string(),
  tarFile: z.string(),
  id: z.string(),
  labels: z.record(z.string(), z.string()),
  pipeline: z.string(),
  secret: z.string(),
  attempt: z.number().int(),
});
export type KilledRun = z.infer<typeof KilledRun>;

/** One attempt, with the log and the results that the attempts before it left. @returns the states of the steps. */
export async function runAttempt(given: KilledRun): Promise<string[]> {
  const { folder, tarFile, id, labels, pipeline, secret, attempt } = given;
  const log = await BuildLog.open({ folder, number: 1, limitBytes: 64 * 1024 ** 2 });
  const kept = join(folder, "results.json");
  const before = await readFile(kept, "utf8").catch(() => "[]");
  const results = await runPipeline(
    connectDocker(undefined),
    {
      plan: planBuild(parsePipeline(pipeline), { branch: "main", event: "push", onlySteps: undefined }),
      tarFile,
      id,
      labels,
      imageLabels: labels,
      attempt,
      project: { ...PROJECT, network: "none", limits: LIMITS },
      env: {},
      secrets: { SECRET: secret },
      mask: createMask([secret]),
      cache: undefined,
      deadlineAt: Date.now() + 60_000,
      // On a busy machine one lane may be over before the other has come to where the worker is killed.
      done: Build.shape.steps.parse(JSON.parse(before)),
    },
    log,
    {
      started: async () => undefined,
      async ended(steps) {
        await writeFile(`${kept}.new`, JSON.stringify(steps));
        await rename(`${kept}.new`, kept);
      },
    },
    never,
  );
  await log.close();
  return results.map(({ id: step, name, state }) => `${step ?? name} ${state}`);
}

const [, , given] = process.argv;
if (given?.startsWith("{") === true) await runAttempt(KilledRun.parse(JSON.parse(given)));
