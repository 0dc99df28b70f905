/** Releases in words, in the order that FACE.md fixes: what, from where, how it stands, where to, who must approve, what to type. */
import { buildUrl, SHORT_SHA, shortTitle } from "../builds/describe.ts";
import { type Action, type Line, line, type Reply, type Tone } from "../chat/reply.ts";
import type { Config } from "../config.ts";
import { wallClock } from "../report/days.ts";
import { formatAge, formatBytes, formatCount } from "../units.ts";
import { PUBLISH_STEPS, type PublishStep, type Release, type ReleasePlan, releaseName, stepsOf } from "./release.ts";
import { goodVotes, listed, stillAsked, votesNeeded } from "./votes.ts";

export type WordsConfig = Pick<Config, "url" | "prefix" | "people" | "releases" | "timezone">;

/** A rollback says so where a version stands alone. */
const KEY_SHOWN = 16;
const COMMITS_SHOWN = 20;

export function releaseUrl(url: string, { number }: Pick<Release, "number">): string {
  return `${url}/releases/${releaseName({ number })}`;
}

/** What everything said about a release is filed under, so that a chat that can edit says it in one message. */
export function releaseKey({ number }: Pick<Release, "number">): string {
  return `release-${number}`;
}

export function releaseTone({ state }: Pick<Release, "state">): Tone {
  switch (state.kind) {
    case "waiting":
      return "queued";
    case "publishing":
      return "running";
    case "published":
      return "passed";
    case "failed":
      return "failed";
    case "rejected":
    case "expired":
    case "refused":
      return "cancelled";
    default:
      return state satisfies never;
  }
}

/** `R7 docker 0.9.0`, `R8 docker back to 0.8.1` */
export function releaseTitle({ number, plan }: Pick<Release, "number" | "plan">): string {
  return `${releaseName({ number })} ${plan.project} ${plan.kind === "rollback" ? "back to " : ""}${plan.version}`;
}

/** `main 61f2f41`; the name stands alone where it is the commit's. */
export function planRevision({ ref, sha }: Pick<ReleasePlan, "ref" | "sha">): string {
  const short = sha.slice(0, SHORT_SHA);
  return sha.startsWith(ref) ? short : `${ref} ${short}`;
}

/** `main 61f2f41 "storage: retry on 503"` */
function titledRevision(plan: ReleasePlan): string {
  return `${planRevision(plan)}${plan.title === "" ? "" : ` "${shortTitle(plan.title)}"`}`;
}

/** `#47 passed (1,204 tests, coverage 70.6%)`, `not built yet` */
export function buildWords({ build }: Pick<ReleasePlan, "build">): string {
  if (build === undefined) return "not built yet";
  const { number, state, tests, coverage } = build;
  const known = [
    tests === undefined ? "" : `${formatCount(tests)} ${tests === 1 ? "test" : "tests"}`,
    coverage === undefined ? "" : `coverage ${coverage.toFixed(1)}%`,
  ].filter((word) => word !== "");
  return `#${number} ${state === "errored" ? "could not run" : state}${known.length === 0 ? "" : ` (${known.join(", ")})`}`;
}

/** `38 commits since 0.8.1`; of a rollback `takes back 12 commits of 0.9.0`. */
export function commitsWords({ commits, commitsCut, commitsSince, previous, kind }: ReleasePlan): string {
  if (commitsSince === undefined) return previous === undefined ? "the first release" : `after ${previous}`;
  const count = `${formatCount(commits.length)}${commitsCut ? " or more" : ""} ${commits.length === 1 && !commitsCut ? "commit" : "commits"}`;
  if (kind === "rollback") return `takes back ${count} of ${commitsSince}`;
  return commits.length === 0 ? `no commit since ${commitsSince}` : `${count} since ${commitsSince}`;
}

/** `about 3 files to s3://get.docker.io/docker/0.9.0/`; a rollback moves nothing but `latest`. */
export function targetWords({ kind, build, target, version }: ReleasePlan): string {
  if (kind === "rollback") return `latest goes back to ${version} at ${target}`;
  const files = build?.files;
  return files === undefined || files === 0
    ? `to ${target}`
    : `${formatCount(files)} ${files === 1 ? "file" : "files"} to ${target}`;
}

/** Said wherever a release is spoken of. */
export function testsWords({ skipTests }: Pick<ReleasePlan, "skipTests">): string {
  return skipTests === true ? "tests skipped" : "";
}

/** `smoke test: version, install`; "" where there is none. */
function smokeTestWords({ smokeTest = [] }: ReleasePlan): string {
  return smokeTest.length === 0 ? "" : `smoke test: ${smokeTest.join(", ")}`;
}

/** `latest stays 0.9.0`; `docker/{file} follows latest`; "" for what is as usual. */
export function pointerWords({ noLatest, pointers = [], previous }: ReleasePlan): string {
  if (noLatest === true) return previous === undefined ? "latest stays as it is" : `latest stays ${previous}`;
  if (pointers.length === 0) return "";
  return `${listed(pointers)} ${pointers.length === 1 ? "follows" : "follow"} latest`;
}

/** `needs 2 of: bob, eve, dan` */
export function needsWords(release: Release, config: WordsConfig): string {
  return `needs ${votesNeeded(release, config)} of: ${release.plan.approvers.join(", ")}`;
}

/** `2026-11-23 17:40 UTC`: it stands in messages that are read a day later. */
export function untilWords(at: string, { timezone }: Pick<Config, "timezone">): string {
  return `${wallClock(new Date(at), timezone).slice(0, 16)} ${timezone === "Etc/UTC" ? "UTC" : timezone}`;
}

/** `1 of 2 (bob on libera)` */
export function votesWords(release: Release, config: WordsConfig): string {
  const good = goodVotes(release, config);
  const who = good.map(({ by, network }) => `${by} on ${network}`).join(", ");
  return `${good.length} of ${votesNeeded(release, config)}${who === "" ? "" : ` (${who})`}`;
}

/** `R7 docker 0.9.0 waits for 1 more of 2 approvals, !approve R7`: for where it stands among other news. */
export function waitingWords(release: Release, config: WordsConfig): string {
  return `${releaseTitle(release)} ${awaitedWords(release, config)}, ${config.prefix}approve ${releaseName(release)}`;
}

/** `waits for 2 approvals`, `waits for 1 more of 2 approvals` */
export function awaitedWords(release: Release, config: WordsConfig): string {
  const needed = votesNeeded(release, config);
  const left = needed - goodVotes(release, config).length;
  return `waits for ${left === needed ? needed : `${left} more of ${needed}`} ${needed === 1 ? "approval" : "approvals"}`;
}

/** All there is to decide by, in three lines and one for each warning; with buttons where there are some. */
export function planReply(release: Release, config: WordsConfig): Reply {
  const { plan, state, requester } = release;
  const name = releaseName(release);
  const { prefix } = config;
  const until = state.kind === "waiting" ? ` until ${untilWords(state.expiresAt, config)}` : "";
  const given = release.votes.length === 0 ? "" : votesWords(release, config);
  return {
    lines: [
      line("queued", [
        `${releaseTitle(release)} waits for ${votesNeeded(release, config) - goodVotes(release, config).length === 1 ? "approval" : "approvals"}`,
        titledRevision(plan),
        buildWords(plan),
        commitsWords(plan),
        testsWords(plan),
      ]),
      line("info", [
        targetWords(plan),
        pointerWords(plan),
        smokeTestWords(plan),
        plan.key === undefined ? "" : `signed by ${plan.key.slice(-KEY_SHOWN)}`,
        needsWords(release, config),
        given,
      ]),
      ...(plan.warnings ?? []).map((warning) => line("errored", [warning])),
      line(
        "info",
        [
          `asked by ${requester.name} on ${requester.network}`,
          `${prefix}approve ${name} or ${prefix}reject ${name} <reason>${until}`,
        ],
        releaseUrl(config.url, release),
      ),
    ],
    key: releaseKey(release),
    inPlace: true,
    actions: releaseActions(release),
  };
}

/** The message that stands in a chat where one can be edited: the plan and how far it came. */
export function cardReply(release: Release, config: WordsConfig): Reply {
  const { state, plan } = release;
  if (state.kind === "waiting") return planReply(release, config);
  const news = newsLine(release, config);
  const head = state.kind === "publishing" ? publishingLine(release, config, state) : news;
  return {
    lines: [
      head,
      ...newsLines(release, config).slice(1),
      line("info", [
        titledRevision(plan),
        buildWords(plan),
        testsWords(plan),
        commitsWords(plan),
        targetWords(plan),
        pointerWords(plan),
      ]),
    ],
    key: releaseKey(release),
    inPlace: true,
    actions: releaseActions(release),
  };
}

/** What became of it, with the last words of what failed. */
export function newsLines(release: Release, config: WordsConfig): Line[] {
  const printed = release.state.kind === "failed" ? (release.state.lines ?? []) : [];
  return [newsLine(release, config), ...printed.map((text) => line("info", [text]))];
}

/** What became of it, in one line, for where every message stays as it is. */
export function newsLine(release: Release, config: WordsConfig): Line {
  const { state, plan } = release;
  const name = releaseName(release);
  const title = releaseTitle(release);
  const link = releaseUrl(config.url, release);
  switch (state.kind) {
    case "waiting": {
      const good = goodVotes(release, config);
      const left = votesNeeded(release, config) - good.length;
      const asked = listedOr(stillAsked(release, config));
      const more = left === 1 ? `One more of ${asked}.` : `${left} more of ${asked}.`;
      return line("info", [
        `${name}: ${good.length} of ${good.length + left} (${good.map(({ by }) => by).join(", ")}). ${more}`,
      ]);
    }
    case "publishing": {
      const by = listed(goodVotes(release, config).map((vote) => vote.by));
      const approved = by === "" ? `${title} begins.` : `${name}: approved by ${by}.`;
      return line("info", [`${approved}${state.build === undefined ? "" : ` Building #${state.build}.`}`]);
    }
    case "published": {
      const files = `${formatCount(state.files)} ${state.files === 1 ? "file" : "files"} (${formatBytes(state.bytes)})`;
      const verified = plan.key === undefined ? "sums verified" : "sums and signature verified";
      const latest = plan.noLatest === true ? pointerWords(plan) : `latest is ${plan.version}`;
      return line(
        "passed",
        [
          `${title} published`,
          testsWords(plan),
          `${files}, ${verified}`,
          release.origin === "nightly" ? "" : latest,
          ...state.warnings,
        ],
        link,
      );
    }
    case "failed":
      return line("failed", [`${title} failed at ${state.step}: ${state.reason}`, untouched(state.step)], link);
    case "rejected": {
      const reason = state.reason === undefined ? "" : `: ${state.reason}`;
      const word = state.by === release.requester.name ? "withdrawn" : "rejected";
      return line("cancelled", [`${title} ${word} by ${state.by}${reason}`], link);
    }
    case "expired": {
      const good = goodVotes(release, config).length;
      return line(
        "cancelled",
        [`${title} expired: ${good} of ${votesNeeded(release, config)} approvals came in time`],
        link,
      );
    }
    case "refused":
      return line("cancelled", [`${title} refused: ${state.reason}`], link);
    default:
      return state satisfies never;
  }
}

/** `waits for approval`, `published`: behind a release's name. */
export function stateWord({ state }: Pick<Release, "state">): string {
  if (state.kind === "waiting") return "waits for approval";
  return state.kind === "publishing" ? `is being published, step ${state.step}` : state.kind;
}

/** A release in one line of a list. */
export function listLine(release: Release, config: WordsConfig, now: Date): Line {
  const { state } = release;
  const link = releaseUrl(config.url, release);
  if (state.kind === "waiting") {
    const left = formatAge(Date.parse(state.expiresAt) - now.getTime());
    const facts = [
      `${releaseTitle(release)} waits`,
      votesWords(release, config),
      needsWords(release, config),
      `${left} left`,
    ];
    return line("queued", facts, link);
  }
  if (state.kind === "publishing") return { ...publishingLine(release, config, state), link };
  return newsLine(release, config);
}

/** What changed, newest first, for where there is room. */
export function commitLines({ commits, commitsCut }: Pick<ReleasePlan, "commits" | "commitsCut">): string[] {
  const shown = commits.slice(0, COMMITS_SHOWN);
  const rest = commits.length - shown.length;
  return [
    ...shown.map(({ sha, author, title }) => `${sha.slice(0, SHORT_SHA)} ${author}: ${shortTitle(title)}`),
    ...(rest > 0 || commitsCut ? [`and ${formatCount(rest)}${commitsCut ? " or more" : ""} others`] : []),
  ];
}

/** What can be done about it; each is a command of the chat. */
export function releaseActions(release: Release): Action[] {
  const name = releaseName(release);
  const changed: Action = { label: "What changed", command: `releases ${name}`, style: "plain" };
  if (release.state.kind !== "waiting") return [changed];
  return [
    { label: "Approve", command: `approve ${name}`, style: "plain" },
    {
      label: "Reject…",
      command: `reject ${name}`,
      style: "danger",
      ask: { title: `Reject ${releaseTitle(release)}`, label: "Why", submit: "Reject" },
    },
    changed,
  ];
}

/** `R7 docker 0.9.0 · approved by bob and dan · building #48 ▓▓▓▓░░░░░ sign` */
function publishingLine(
  release: Release,
  config: WordsConfig,
  { step, build }: { readonly step: PublishStep; readonly build?: number | undefined },
): Line {
  const by = listed(goodVotes(release, config).map((vote) => vote.by));
  const steps = stepsOf(release.plan);
  const done = steps.indexOf(step) + 1;
  const bar = `${"▓".repeat(done)}${"░".repeat(steps.length - done)} ${step}`;
  const building = build === undefined ? bar : `building #${build} ${bar}`;
  return line(
    "running",
    [releaseTitle(release), by === "" ? "" : `approved by ${by}`, building],
    buildLink(config, release, build),
  );
}

function buildLink({ url }: WordsConfig, release: Release, build: number | undefined): string {
  return build === undefined ? releaseUrl(url, release) : buildUrl(url, build);
}

/** A step before `latest` has moved nothing that anybody reads. */
function untouched(step: PublishStep): string {
  return PUBLISH_STEPS.indexOf(step) < PUBLISH_STEPS.indexOf("latest") ? "latest is where it was" : "";
}

function listedOr(names: readonly string[]): string {
  return names.length === 0 ? "nobody, as things are" : names.join(", ");
}
