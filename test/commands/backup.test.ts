/** `!backup` and `!backups`, word by word; and what becomes of one that a restart cut short. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startBackups } from "../../jobs/backup.ts";
import { type AskedBackups, createAskedBackups } from "../../src/backup/asked.ts";
import { type BackupSite, openBackupSite, ROOM, saidTo } from "../support/backups.ts";
import { FakeChat } from "../support/fake-chat.ts";
import { ADA } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";
import { waitFor } from "../support/wait-for.ts";

const ADMIN = "people: { ada: { irc: [libera/ada], roles: [admin] } }\n";

function askedOf({ backups, redis, config, time, log }: BackupSite): AskedBackups {
  return createAskedBackups({ backups, redis: redis.commands, chats: new Map(), url: config.url, clock: time, log });
}

const answers = async (site: BackupSite): Promise<string[]> =>
  (await saidTo(site, "libera/#dev")).filter((text) => text.startsWith("backup made") || text.startsWith("nothing"));

test("!backup begins one, says when it is done, and !backups tells of it (O-24)", async () => {
  await using site = await openBackupSite(ROOM + ADMIN);
  await site.passed();
  await using asked = askedOf(site);
  const talk = openTalk(site, { network: "libera", backups: asked });
  const ada = { account: "ada" };
  expect(await talk.ask("!backups", ada)).toEqual(["there are no backups yet · !backup makes the first"]);
  expect(await talk.ask("!backup", { nick: "eve" })).toEqual([expect.stringMatching(/admin/)]);
  expect(await talk.ask("!backup", ada)).toEqual(["● backup begun · it is the first · https://ci.example.org/backups"]);
  expect(await talk.ask("!backup", ada)).toEqual([expect.stringMatching(/a backup is being made already/)]);
  // Whoever looks for what an earlier process left does not take it for that.
  await asked.resume();
  await waitFor("the answer", async () => (await answers(site)).length > 0);
  expect(await answers(site)).toEqual([
    expect.stringMatching(/^backup made: docker-ci_2026-03-01\.tgz, [\d.]+ KiB · proven: it restores · took /),
  ]);
  expect(await talk.ask("!backups", ada)).toEqual([
    expect.stringMatching(/^docker-ci_2026-03-01\.tgz · 0s old · [\d.]+ KiB · proven 0s ago · only here$/),
  ]);
  const file = join(site.backups.folder, "docker-ci_2026-03-01.tgz");
  const whole = await readFile(file);
  await rm(file);
  expect(await talk.ask("!backups", ada)).toEqual([
    expect.stringMatching(/^▲ .*missing, or not as long as it was · nowhere$/),
  ]);
  await writeFile(file, whole);
});

test("one that a restart cut short is made by the next process, and its room is told", async () => {
  await using site = await openBackupSite(ROOM);
  await site.passed();
  const first = askedOf(site);
  const room = new FakeChat("libera").room("#dev");
  await first.ask({ ...ADA, network: room.network, room });
  await first[Symbol.asyncDispose]();
  expect(await answers(site)).toEqual([]);

  await using asked = askedOf(site);
  const { backups, config, subscriptions, redis, log } = site;
  const job = {
    backups,
    asked,
    config,
    subscriptions,
    redis: redis.commands,
    clock: site.time,
    log,
    backup: undefined,
  };
  await using _looking = startBackups(job, { lookMs: 20 });
  await waitFor("the answer", async () => (await answers(site)).length > 0);
  expect(await answers(site)).toEqual([expect.stringMatching(/^backup made: .* · begun again after a restart$/)]);
});
