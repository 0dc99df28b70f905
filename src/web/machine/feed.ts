/** The Atom feed (RFC 4287): an entry for every build that ended, of all projects or of one. */
import { html } from "hono/html";
import { type FinishedBuild, isFinished } from "../../builds/build.ts";
import { buildUrl, resultLine } from "../../builds/describe.ts";
import { lineText } from "../../chat/reply.ts";
import type { ProjectName } from "../../names.ts";
import { failingLines } from "../../results/test-words.ts";
import type { WebDeps } from "../deps.ts";
import { XML_HEAD, xmlText } from "./xml.ts";

const ENTRIES = 50;

export interface FeedFilter {
  readonly project?: ProjectName | undefined;
  readonly branch?: string | undefined;
  readonly onlyFailures: boolean;
}

/** @param address of the feed itself, from the `/` on. */
export async function feedXml(
  { config, builds, clock, version }: Pick<WebDeps, "config" | "builds" | "clock" | "version">,
  filter: FeedFilter,
  address: string,
): Promise<string> {
  const page = await builds.history.page({ ...filter, limit: ENTRIES });
  const ended = page.builds
    .filter(isFinished)
    .toSorted((a, b) => b.state.finishedAt.localeCompare(a.state.finishedAt) || b.number - a.number);
  const about = filter.project === undefined ? config.url : `${config.url}/projects/${filter.project}`;
  const title = ["docker-ci", filter.project, filter.branch].filter((part) => part !== undefined).join(" ");
  const feed = html`<feed xmlns="http://www.w3.org/2005/Atom"><id>${config.url}${address}</id><title>${xmlText(title)}${filter.onlyFailures ? ": failures" : ""}</title><updated>${ended[0]?.state.finishedAt ?? clock.now().toISOString()}</updated><link rel="self" type="application/atom+xml" href="${config.url}${address}"/><link rel="alternate" type="text/html" href="${about}"/><generator version="${version}">docker-ci</generator>${ended.map((build) => entryXml(build, config.url))}</feed>`;
  return `${XML_HEAD}${await feed}\n`;
}

function entryXml(build: FinishedBuild, url: string) {
  const link = buildUrl(url, build.number);
  const { facts, tone } = resultLine(build, url);
  const author = xmlText(build.revision?.author ?? build.requester.displayName).trim();
  const { results } = build;
  const detail = [
    build.revision === undefined ? "" : `${build.revision.sha} ${build.revision.title}`,
    ...(results?.tests === undefined || build.state.kind !== "failed" ? [] : failingLines(results.tests)),
    ...(results?.explanation?.excerpt ?? []),
  ].filter((line) => line !== "");
  return html`<entry><id>${link}</id><title>${xmlText(lineText({ tone, facts }))}</title><updated>${build.state.finishedAt}</updated><author><name>${author === "" ? "docker-ci" : author}</name></author><link rel="alternate" type="text/html" href="${link}"/><category term="${build.project}"/><category term="${build.state.kind}"/><content type="text">${xmlText(detail.join("\n"))}</content></entry>`;
}
