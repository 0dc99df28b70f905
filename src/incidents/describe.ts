/** Incidents in words (FACE.md). */
import type { FinishedBuild } from "../builds/build.ts";
import { durationMs } from "../builds/build.ts";
import { buildActions, buildUrl, moreOf, pictureLines, resultLine, SHORT_SHA, shortTitle } from "../builds/describe.ts";
import { type Action, type Line, line, type Reply } from "../chat/reply.ts";
import { formatAge, formatDuration } from "../units.ts";
import { suspectsFirst } from "../why/suspects.ts";
import type { Incident, News } from "./incident.ts";

const SUSPECTS_SHOWN = 3;

/** The branch is named where it is not the project's own. */
export function incidentName(
  { project, branch }: { readonly project: string; readonly branch: string | undefined },
  mainBranch: string | undefined,
): string {
  return branch === mainBranch ? project : `${project} (branch ${branch})`;
}

/**
 * `was good at #42 · suspects: bob 3f2c9aa "storage: retry on 503" · !why 43 · !claim docker-registry`
 * @param failed files that the failure names: whoever touched them stands first.
 */
function contextLine(incident: Incident, prefix: string, failed: readonly string[] = []): Line {
  const { suspects, lastGood, firstBad, project } = incident;
  const shown = suspectsFirst(suspects, failed)
    .slice(0, SUSPECTS_SHOWN)
    .map(({ suspect: { author, sha, title } }) => `${author} ${sha.slice(0, SHORT_SHA)} "${shortTitle(title)}"`);
  const more = suspects.length - shown.length;
  return line("info", [
    lastGood === undefined ? "the first build of this branch" : `was good at #${lastGood.number}`,
    shown.length === 0 ? "" : `suspects: ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
    `${prefix}why ${firstBad.number}`,
    `${prefix}claim ${project}`,
  ]);
}

/** `✔ docker-registry fixed by #45 in 2m51s · bob 77ab12e "close body on retry" · broken for 41m, 2 builds` */
function fixedLine(build: FinishedBuild, incident: Incident, name: string, url: string, at: Date): Line {
  const { revision } = build;
  const builds = `${incident.badBuilds} ${incident.badBuilds === 1 ? "build" : "builds"}`;
  const whose =
    revision === undefined
      ? ""
      : `${revision.author} ${revision.sha.slice(0, SHORT_SHA)} "${shortTitle(revision.title)}"`;
  return line(
    "passed",
    [
      `${name} fixed by #${build.number} in ${formatDuration(durationMs(build))}`,
      whose,
      `broken for ${formatAge(at.getTime() - Date.parse(incident.since))}, ${builds}`,
    ],
    buildUrl(url, build.number),
  );
}

/** `docker-registry is broken for 6m since #43 · bob has it · was good at #42 …` */
export function incidentLine(incident: Incident, name: string, url: string, now: Date): Line {
  const { firstBad, since, claimedBy, suspects } = incident;
  return line(
    "failed",
    [
      `${name} broken for ${formatAge(now.getTime() - Date.parse(since))} since #${firstBad.number}`,
      claimedBy === undefined ? "nobody has it" : `${claimedBy} has it`,
      suspects.length === 0
        ? ""
        : `suspects: ${suspects
            .slice(0, SUSPECTS_SHOWN)
            .map(({ author }) => author)
            .join(", ")}`,
    ],
    buildUrl(url, firstBad.number),
  );
}

export interface NoticeScene {
  readonly name: string;
  readonly url: string;
  readonly prefix: string;
  readonly at: Date;
}

/**
 * A notice of what a build's end means.
 * @param asked whether this room asked for the build and so has been told the result itself: then only what is more.
 * @returns undefined when there is nothing more to tell there.
 */
export function noticeOf(build: FinishedBuild, news: News, asked: boolean, scene: NoticeScene): Reply | undefined {
  const result = resultLine(build, scene.url);
  switch (news.event) {
    case "broken": {
      const context = contextLine(news.incident, scene.prefix, build.results?.explanation?.files);
      const claim: Action = { label: "Claim", command: `claim ${build.project}`, style: "plain" };
      const topic = topicOf(news.incident);
      if (asked) return { lines: [{ ...context, facts: [`${scene.name} is broken`, ...context.facts] }], topic };
      return {
        lines: [result, context, ...pictureLines(build, scene.url)],
        ...moreOf(build),
        topic,
        actions: [...buildActions(build, scene.url), claim],
      };
    }
    case "fixed":
      return {
        lines: [fixedLine(build, news.incident, scene.name, scene.url, scene.at)],
        topic: topicOf(news.incident),
      };
    case "errored":
    case "passed":
    case "failed":
    case "cancelled":
      return asked ? undefined : { lines: [result] };
    default:
      return news satisfies never;
  }
}

export function topicOf({ project, firstBad }: Incident): string {
  return `incident-${project}-${firstBad.number}`;
}
