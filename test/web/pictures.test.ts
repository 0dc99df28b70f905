/** Pictures that builds left behind, on the pages (O-120): which are shown, and how long. */
import { expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import { BuildResults } from "../../src/results/summary.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, openRecords, type Records } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

const DAY_S = 86_400;
const picture = (path: string) => ({ path, bytes: 70, picture: true });
const STEPS = Build.shape.steps.parse([
  {
    name: "home",
    kind: "run",
    state: "passed",
    durationMs: 1,
    artifacts: [picture('shots/a "b".png'), { path: "log", bytes: 1 }],
  },
  { name: "screen", kind: "run", state: "failed", durationMs: 1, artifacts: [picture("after.png")] },
]);

async function failed(records: Records, secondsAgo: number, results: Partial<BuildResults> = {}): Promise<number> {
  const build = await records.begin(await records.create("hello"), secondsAgo + 60);
  const times = { startedAt: ago(secondsAgo + 60), finishedAt: ago(secondsAgo) };
  await records.store.transition(
    build,
    { kind: "failed", ...times, reason: "step screen, exit 1" },
    {
      steps: STEPS,
      results: BuildResults.parse({ artifacts: STEPS.flatMap((step) => step.artifacts ?? []), ...results }),
    },
  );
  return build.number;
}

async function pictures(records: Records, path: string): Promise<string[]> {
  const response = await createWeb(webDeps(records)).request(path);
  return [...(await response.text()).matchAll(/<img src="(\/artifacts[^"]*)" alt="([^"]*)"/g)].map(
    ([, source, alt]) => `${source} ${alt}`,
  );
}

test("those of the step that failed stand first; the project's page has the first of the newest build with any", async () => {
  await using records = await openRecords();
  await failed(records, 600);
  await records.end(await records.begin(await records.create("hello")), {
    kind: "passed",
    startedAt: ago(60),
    finishedAt: ago(0),
  });
  const [after, home] = [
    "/artifacts/1/after.png after.png, as step screen left it",
    "/artifacts/1/shots/a%20%22b%22.png shots/a &quot;b&quot;.png, as step home left it",
  ];
  expect(await pictures(records, "/builds/1")).toEqual([after, home]);
  expect(await pictures(records, "/projects/hello")).toEqual([after]);
});

test("none where they are not kept any more, or still with their worker", async () => {
  await using records = await openRecords();
  const old = await failed(records, 31 * DAY_S);
  const away = await failed(records, 60, { undelivered: "the bot does not answer" });
  for (const path of [`/builds/${old}`, `/builds/${away}`, "/projects/hello"]) {
    expect(await pictures(records, path)).toEqual([]);
  }
});
