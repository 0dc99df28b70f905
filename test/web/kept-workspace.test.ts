/** What a failed build kept on demand, on its page (O-53). */
import { expect, test } from "vitest";
import { BuildResults } from "../../src/results/summary.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, openRecords, type Records } from "../support/records.ts";
import { readable } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";

const COMMAND = "docker run --rm -it docker-ci/hello:kept-1f2e-1-tests";

async function pageOf(records: Records, until: string): Promise<string> {
  const ranOn = { worker: "big-1", instance: "1f2e" };
  const build = await records.begin(await records.create("hello", { keepMs: 3_600_000, ranOn }));
  const state = { kind: "failed", startedAt: ago(60), finishedAt: ago(0), reason: "step tests, exit 1" } as const;
  const results = BuildResults.parse({ kept: { until, steps: [{ step: "tests", command: COMMAND }] } });
  await records.store.transition(build, state, { results });
  return readable(await (await createWeb(webDeps(records)).request(`/builds/${build.number}`)).text());
}

test("says until when and how it is entered, and nothing any more when its time is over", async () => {
  await using records = await openRecords();
  expect(await pageOf(records, ago(-3_600))).toContain(
    `Kept until 2026-03-01 13:00 UTC , to be entered on big-1 tests: ${COMMAND}`,
  );
  expect(await pageOf(records, ago(1))).not.toContain("docker run");
});
