/** The page `/backups`. */
import { expect, test } from "vitest";
import type { BackupsState } from "../../src/backup/backups.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, openRecords } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

const NONE: BackupsState = { backups: [], progress: undefined, trouble: undefined };

test("/backups says what there is, where, when it was proven, and what is wrong (O-24)", async () => {
  await using records = await openRecords();
  const show = async (state: BackupsState): Promise<{ html: string; text: string }> => {
    const app = createWeb(webDeps(records, { backups: async () => state }));
    const html = await (await app.request("/backups")).text();
    return { html, text: html.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ") };
  };
  expect((await show(NONE)).text).toContain("There are none yet. !backup makes one");
  const good = {
    name: "docker-ci_2026-03-01.tgz",
    madeAt: ago(7_800),
    bytes: 1_288_490_189,
    builds: 10_000,
    provenAt: ago(7_200),
    stored: { "s3://backup-ci": ago(7_000) },
    isThere: true,
  };
  const bad = { ...good, name: "docker-ci_2026-02-28.tgz", fault: "it was changed since it was made", stored: {} };
  const { html, text } = await show({
    backups: [good, bad],
    progress: { phase: "files", startedAt: ago(5), files: 1_204, bytes: 5 * 1024 ** 2 },
    trouble: { since: ago(60), reason: "the disk is full" },
  });
  expect(text).toContain("● backup · packing · 1,204 files · 5 MiB");
  expect(text).toContain("not in order since 2026-03-01 11:59 UTC : the disk is full");
  expect(text).toMatch(
    /docker-ci_2026-03-01\.tgz 2026-03-01 09:50 UTC 1\.2 GiB 10,000 proven 2h00m ago here and at s3:\/\/backup-ci/,
  );
  expect(html).toContain("<strong>does not restore: it was changed since it was made</strong>");
  expect(html).toContain("▲ Backups: not in order");
});
