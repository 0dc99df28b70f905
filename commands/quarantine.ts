/** `!quarantine`: a test whose failure alone fails no build for a while, with somebody who mends it. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { line, type Reply, say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { findTest } from "../src/flaky/find-test.ts";
import type { Quarantined } from "../src/flaky/quarantine.ts";
import { shownName, shownTest } from "../src/flaky/shown-test.ts";
import { parseUntil, shownUntil } from "../src/flaky/until.ts";
import type { ProjectName } from "../src/names.ts";
import type { TestName } from "../src/results/test-case.ts";
import { formatCount } from "../src/units.ts";

const LISTED_MAX = 4;
const LISTED_OF_MANY = 3;

export const quarantine = defineCommand({
  name: "quarantine",
  summary: "Let a test fail without failing builds, until a day, with an owner who mends it; or list those that may.",
  examples: [
    "!quarantine docker-registry TestBlobUpload 2w",
    '!quarantine docker-registry "uploads a blob" 30d bob',
    "!quarantine docker-registry",
  ],
  role: "developer",
  repeatable: true,
  args: z.strictObject({
    project: z.string(),
    test: z.string().optional().meta({ label: "test or part of its name" }),
    until: z.string().optional().meta({ label: "day or time" }),
    owner: z
      .string()
      .regex(/^@?[^\s\p{C}]{1,40}$/u, "a person's name of at most 40 characters")
      .optional(),
  }),
  async run({ args, builds, flaky, quarantine: kept, config, clock, message, identity }) {
    const { name: project } = builds.project(args.project);
    const link = `${config.url}/projects/${project}`;
    if (args.test === undefined) return listed(project, await kept.of(project), config.timezone, link);
    if (args.until === undefined) {
      throw new UserError(
        `a quarantine has an end: ${config.prefix}quarantine ${project} ${quoted(args.test)} 2w, or a day in place of 2w.`,
      );
    }
    const now = clock.now();
    const until = parseUntil(args.until, now, config.timezone);
    const test = knownTest(await flaky.knownTests(project), args.test, project);
    const entry: Quarantined = {
      project,
      test,
      owner: args.owner?.replace(/^@/, "") ?? identity.name,
      since: now.toISOString(),
      until: until.toISOString(),
      room: message.room,
      warned: false,
    };
    const before = await kept.add(entry);
    return say(
      "info",
      [
        `${project}: ${shownTest(test)} in quarantine until ${shownUntil(until, config.timezone)}`,
        before === undefined ? "" : `it was until ${shownUntil(new Date(before.until), config.timezone)}`,
        `owner ${entry.owner}`,
        "its failure alone fails no build",
      ],
      link,
    );
  },
});

/** @throws UserError that names the tests that it may have been. */
function knownTest(known: readonly TestName[], text: string, project: ProjectName): TestName {
  const found = findTest(known, text);
  if (found.kind === "one") return found.test;
  if (found.kind === "several") {
    const shown = found.tests.slice(0, LISTED_MAX).map(shownTest);
    const rest = found.tests.length - shown.length;
    const more = rest === 0 ? "" : ` and ${formatCount(rest)} more`;
    throw new UserError(
      `"${shownName(text)}" is in the names of ${formatCount(found.tests.length)} tests of ${project}: ${shown.join(", ")}${more}. Say more of the one you mean.`,
    );
  }
  const near = found.nearest.length === 0 ? "" : ` Did you mean ${found.nearest.map(shownName).join(" or ")}?`;
  throw new UserError(
    `no test of ${project} with "${shownName(text)}" in its name has failed in the last 200 builds, so there is nothing to put in quarantine.${near}`,
  );
}

function listed(project: ProjectName, entries: readonly Quarantined[], timezone: string, link: string): Reply {
  if (entries.length === 0) return say("info", [`${project}: no test is in quarantine`], link);
  const head = `${project}: ${formatCount(entries.length)} ${entries.length === 1 ? "test" : "tests"} in quarantine`;
  const shown = entries.slice(0, entries.length > LISTED_MAX ? LISTED_OF_MANY : LISTED_MAX);
  const lines = shown.map(({ test, owner, until }) =>
    line("info", [`${shownTest(test)} until ${shownUntil(new Date(until), timezone)}`, `owner ${owner}`]),
  );
  const rest = entries.length - shown.length;
  return {
    lines: [
      line("info", [head], rest > 0 ? undefined : link),
      ...lines,
      ...(rest > 0 ? [line("info", [`${formatCount(rest)} more`], link)] : []),
    ],
  };
}

function quoted(text: string): string {
  return /\s/.test(text) ? `"${text}"` : text;
}
