/** `/outbox` and `/api/outbox`: the same as `!outbox`, for eyes and for programs. */
import { expect, test } from "vitest";
import type { OutboxState } from "../../src/queue/outbox-rooms.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, openRecords } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

const NOTHING: OutboxState = { rooms: [], dropped: [] };
const STUCK: OutboxState = {
  rooms: [
    {
      network: "libera",
      room: "#docker-dev",
      waiting: 14,
      oldestAt: ago(7_800),
      stuck: true,
      reason: "not in <b>#docker-dev</b>",
      tries: 3,
      nextAt: ago(-20),
    },
    { network: "work", room: "C1", waiting: 1, stuck: false, tries: 0 },
  ],
  dropped: [
    { network: "mail", room: "a…@example.org", at: ago(60), reason: "550 no such user", id: "build-42-failed" },
  ],
};

async function pages(state: OutboxState): Promise<{ html: string; json: unknown }> {
  await using records = await openRecords();
  const web = createWeb(webDeps(records, { outbox: async () => state }));
  const html = await (await web.request("/outbox")).text();
  return { html, json: await (await web.request("/api/outbox")).json() };
}

test("shows what is stuck and why, what is on the way and what was given up", async () => {
  const { html, json } = await pages(STUCK);
  expect(json).toEqual(STUCK);
  expect(/<title>(.*)<\/title>/.exec(html)?.[1]).toBe("▲ outbox: 1 stuck");
  for (const text of ["libera/#docker-dev", "▲ stuck", "not in &lt;b&gt;#docker-dev", "work/C1", "○ on the way"]) {
    expect(html).toContain(text);
  }
  expect(html).toMatch(/mail\/a…@example\.org.*build-42-failed.*550 no such user/);
});

test("says so when nothing waits", async () => {
  const { html, json } = await pages(NOTHING);
  expect(json).toEqual(NOTHING);
  expect(/<title>(.*)<\/title>/.exec(html)?.[1]).toBe("outbox: nothing waits");
  expect(html).toContain("Nothing waits: every room has been told all there is to tell.");
});
