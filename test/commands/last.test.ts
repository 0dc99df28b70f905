/** `!last <project>`: how its times develop, as a chart where there are pictures and as bars where there is only text. */
import { expect, test } from "vitest";
import type { FinalState } from "../../src/builds/build.ts";
import { ago, openRecords, type Records } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const ran = (kind: "passed" | "failed", seconds: number): FinalState => {
  const times = { startedAt: ago(seconds), finishedAt: ago(0) };
  return kind === "passed" ? { kind, ...times } : { kind, ...times, reason: "step tests, exit 1" };
};

async function end(records: Records, state: FinalState): Promise<void> {
  await records.end(await records.begin(await records.create("hello")), state);
}

test("has a chart of the builds that can be compared, oldest first, and the same as bars", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  for (const seconds of [40, 20]) await end(records, ran("passed", seconds));
  await end(records, { kind: "cancelled", startedAt: ago(5), finishedAt: ago(0), by: "ada" });
  await end(records, ran("failed", 10));
  await records.create("hello");
  const lines = await talk.ask("!last hello");
  expect(lines.at(-1)).toBe("older ones · times of the last 3 █▅▃ · https://ci.example.org/projects/hello");
  expect(talk.chat.sent.at(-1)?.reply.chart).toEqual({
    title: "hello: time of the last 3 builds",
    unit: "ms",
    points: [
      { label: "#1", value: 40_000, tone: "passed" },
      { label: "#2", value: 20_000, tone: "passed" },
      { label: "#4", value: 10_000, tone: "failed" },
    ],
  });
});

test("goes back twenty builds, and for all projects together it has no chart", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  for (let count = 1; count <= 23; count += 1) await end(records, ran("passed", count));
  expect((await talk.ask("!last hello")).at(-1)).toContain(" · times of the last 20 ");
  expect(
    talk.chat.sent
      .at(-1)
      ?.reply.chart?.points.map(({ label }) => label)
      .slice(0, 2),
  ).toEqual(["#4", "#5"]);
  await talk.ask("!last");
  expect(talk.chat.sent.at(-1)?.reply.chart).toBeUndefined();
});

test("has none for a single build", async () => {
  await using records = await openRecords();
  const talk = openTalk(records);
  await end(records, ran("passed", 4));
  expect(await talk.ask("!last hello")).toHaveLength(1);
  expect(talk.chat.sent.at(-1)?.reply.chart).toBeUndefined();
});
