/** `!schedule` and `!nightly`: what comes by itself, said in the asker's words, and had at once. */
import { expect, test } from "vitest";
import { BuildNumber } from "../../src/names.ts";
import { moveOn, readLastDue } from "../../src/schedules/last-due.ts";
import { ago, configOf, openRecords } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const ADA = { trusted: true };
const NIGHTS = `
url: https://ci.example.org
timezone: Europe/Berlin
mail: { host: mail.example.org, from: ci@example.org, to: ops@example.org }
report: { at: "0 8 * * *" }
projects:
  hello: { repo: /repositories/hello, nightly: true }
  docker: { repo: /repositories/docker, nightly: "30 3 * * *" }
schedules:
  - { name: weekly, at: "0 6 * * tue", projects: [docker], ref: release, params: { SLOW: "1" } }
`;

test("says when each comes next, by the clock of the configuration, the soonest first", async () => {
  await using records = await openRecords(configOf(NIGHTS));
  const talk = openTalk(records);
  const { commands } = records.redis;
  const key = "docker-ci:schedule:nightly:docker";
  const due = { at: "30 3 * * *", timezone: "Europe/Berlin", due: ago(60), build: BuildNumber.parse(41) };
  await moveOn(commands, key, await readLastDue(commands, key), { ...due, skipped: true });
  expect(await talk.ask("!schedule")).toEqual([
    "nightly docker in 14h30m, Mon 03:30 Europe/Berlin · last skipped: nothing new since #41",
    "nightly hello in 19h00m, Mon 08:00 Europe/Berlin",
    "daily report to 1 address in 19h00m, Mon 08:00 Europe/Berlin",
    "weekly docker in 1d, Tue 06:00 Europe/Berlin",
  ]);
  expect((await talk.ask("!status"))[0]).toContain(" · nightly docker in 14h30m · ");
  await talk.ask("!pause hello", ADA);
  expect((await talk.ask("!schedule"))[0]).toBe("hello paused by ada since Sun 13:00 Europe/Berlin");
});

test("says that nothing is, where nothing is", async () => {
  await using records = await openRecords();
  expect(await openTalk(records).ask("!schedule")).toEqual(["nothing is scheduled · https://ci.example.org/schedule"]);
});

test("!nightly builds now, of one project or of all that have nights, and answers who asked (O-30)", async () => {
  await using records = await openRecords(configOf(NIGHTS));
  const talk = openTalk(records);
  expect((await talk.ask("!nightly hello", { nick: "mallory" }))[0]).toMatch(/^!nightly takes the role developer/);
  expect(await talk.ask("!nightly docker", ADA)).toEqual([
    expect.stringMatching(/^○ docker #1 queued · main 0000000 /),
  ]);
  expect(await talk.ask("!nightly", ADA)).toEqual([
    expect.stringMatching(/^○ hello #2 queued/),
    expect.stringMatching(/^○ docker #3 queued/),
  ]);
  expect(await records.builds.queued()).toMatchObject([
    { event: "nightly", requester: { name: "ada", room: { name: "#dev" } } },
    { event: "nightly" },
    { event: "nightly" },
  ]);
});

test("!nightly where there are none says how to have one", async () => {
  await using records = await openRecords();
  expect(await openTalk(records).ask("!nightly", ADA)).toEqual([
    "no project has the key nightly; !nightly <project> builds one all the same.",
  ]);
});

test.each([
  ["name: a, projects: helo", 'schedules[0].projects: found "helo", which no project is called. Did you mean hello?'],
  ["name: A, projects: hello", 'schedules[0].name: found "A", allowed: a name of lower-case letters'],
  [
    'name: a, at: "0 25 * * *", projects: hello',
    'schedules[0].at: found "0 25 * * *", allowed: a schedule of five fields',
  ],
  ["name: a, timezone: Mars, projects: hello", 'schedules[0].timezone: found "Mars", allowed: a time zone'],
  ["name: a", "schedules[0].projects: missing"],
])("a schedule with a mistake stops the start: %s", (written, problem) => {
  const text = `projects: { hello: { repo: /r } }\nschedules: [{ ${written} }]`;
  expect(() => configOf(text)).toThrow(problem);
});

test("two schedules of one name, and a night that is none, too", () => {
  const text =
    "projects: { hello: { repo: /r, nightly: seven } }\nschedules: [{ name: a, projects: hello }, { name: a, projects: hello }]";
  expect(() => configOf(text)).toThrow('schedules[1].name: found "a" again');
  expect(() => configOf(text)).toThrow('projects.hello.nightly: found "seven", allowed: true, false, or a schedule');
  expect(() => configOf("projects: { hello: { repo: /r, max: 0, group: A B } }")).toThrow("projects.hello.max");
});
