/** `!ok-to-test`: let one head of an outsider's pull request run, having seen what it changes; or list those that wait. */
import { z } from "zod";
import { askedIn } from "../src/builds/accepted.ts";
import { buildKey, buildUrl, SHORT_SHA } from "../src/builds/describe.ts";
import { defineCommand } from "../src/chat/command.ts";
import { type Line, line, type Reply, say } from "../src/chat/reply.ts";
import type { Config } from "../src/config.ts";
import { UserError } from "../src/errors.ts";
import type { PullRequestChanges, WaitingPullRequest } from "../src/triggers/pull-request-changes.ts";
import { describePullRequest, okToTest as okToTestLine } from "../src/triggers/waiting-notice.ts";
import { formatAge, formatCount } from "../src/units.ts";

const PULL_REQUEST = /^(?:PR#?|#|!)?([1-9]\d{0,8})$/i;
const SHA = /^[0-9a-f]{4,64}$/i;
const LISTED_MAX = 4;
const LISTED_OF_MANY = 3;
const FILES_SHOWN = 5;
const PATH_LENGTH = 60;

export const okToTest = defineCommand({
  name: "ok-to-test",
  summary: "Let the newest head of an outsider's pull request run, and say what it changes; or list those that wait.",
  examples: ["!ok-to-test PR#12", "!ok-to-test docker PR#12", "!ok-to-test docker PR#12 3f2c9aa", "!ok-to-test"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({
    project: z.string().optional().meta({ label: "project" }),
    pull: z.string().optional().meta({ label: "PR#12" }),
    sha: z.string().optional().meta({ label: "its head" }),
  }),
  async run({ args, builds, config, clock, identity, message, pullRequests }) {
    const waiting = await pullRequests.waiting();
    const [first, ...others] = [args.project, args.pull, args.sha].filter((word) => word !== undefined);
    if (first === undefined) return listed(waiting, config, clock.now());
    const hasProject = !PULL_REQUEST.test(first) && others.length > 0;
    const [name, sha, ...more] = hasProject ? others : [first, ...others];
    const number = Number(PULL_REQUEST.exec(name ?? "")?.[1] ?? Number.NaN);
    if (Number.isNaN(number) || more.length > 0 || (sha !== undefined && !SHA.test(sha))) {
      throw new UserError(
        `say which pull request, for example ${config.prefix}ok-to-test PR#12 or ${config.prefix}ok-to-test docker PR#12.`,
      );
    }
    const project = builds.project(hasProject ? first : projectOf(number, waiting, config));
    const allowed = await pullRequests.allow(project, number, { by: identity.name, sha, asked: askedIn(message) });
    const { pull, build } = allowed;
    const head = `${pull.head.slice(0, SHORT_SHA)} into ${pull.into}`;
    const told = `${describePullRequest(project, pull)} may run as #${build}`;
    return {
      lines: [line("queued", [told, head], buildUrl(config.url, build)), changesLine(allowed)],
      key: buildKey(build),
    };
  },
});

/** The project whose pull request of that number is meant. @throws UserError where that is not clear. */
function projectOf(
  number: number,
  waiting: readonly WaitingPullRequest[],
  { prefix, projects }: Pick<Config, "prefix" | "projects">,
): string {
  const [only] = projects.keys();
  if (projects.size === 1 && only !== undefined) return only;
  const names = waiting.filter(({ pull }) => pull.number === number).map(({ project }) => project);
  const [name] = names;
  if (name !== undefined && names.length === 1) return name;
  if (name === undefined) throw new UserError(`no PR#${number} waits. ${prefix}ok-to-test lists those that do.`);
  throw new UserError(
    `PR#${number} waits in ${names.join(" and ")}: say which, as in ${prefix}ok-to-test ${name} PR#${number}`,
  );
}

function listed(waiting: readonly WaitingPullRequest[], config: Config, now: Date): Reply {
  if (waiting.length === 0) return say("info", ["no pull request waits for anybody's word"]);
  const shown = waiting.slice(0, waiting.length > LISTED_MAX ? LISTED_OF_MANY : LISTED_MAX);
  const lines = shown.flatMap(({ project: name, pull }) => {
    const project = config.projects.get(name);
    if (project === undefined) return [];
    const age = formatAge(now.getTime() - Date.parse(pull.waitingSince ?? now.toISOString()));
    const head = `${pull.head.slice(0, SHORT_SHA)} into ${pull.into}`;
    return [
      line("info", [
        `${describePullRequest(project, pull)} waits for ${age}`,
        head,
        okToTestLine(config, project, pull.number),
      ]),
    ];
  });
  const rest = waiting.length - shown.length;
  return { lines: rest > 0 ? [...lines, line("info", [`${formatCount(rest)} more`], config.url)] : lines };
}

/** `steers CI: .docker-ci.yml, Dockerfile · 12 other files: a.go, b.go and 10 more` */
function changesLine({ files, steering, areFilesCut }: PullRequestChanges): Line {
  const others = files.length - steering;
  const cut = areFilesCut ? "not all of its files are known" : "";
  if (files.length === 0) return line("info", [areFilesCut ? "what it changes is not known" : "it changes no file"]);
  return line("info", [
    steering === 0 ? "nothing in it steers CI" : `steers CI: ${shownFiles(files.slice(0, steering))}`,
    others === 0
      ? ""
      : `${formatCount(others)} ${steering === 0 ? "" : "other "}${others === 1 ? "file" : "files"}: ${shownFiles(files.slice(steering))}`,
    cut,
  ]);
}

function shownFiles(files: readonly string[]): string {
  const shown = files.slice(0, FILES_SHOWN).map((file) => {
    const characters = [...file];
    return characters.length <= PATH_LENGTH ? file : `…${characters.slice(1 - PATH_LENGTH).join("")}`;
  });
  const rest = files.length - shown.length;
  return `${shown.join(", ")}${rest === 0 ? "" : ` and ${formatCount(rest)} more`}`;
}
