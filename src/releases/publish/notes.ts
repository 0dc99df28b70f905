/** The notes of a release on a forge, in Markdown: what changed, and how what was downloaded is checked. */

import { shortTitle } from "../../builds/describe.ts";
import { type Release, releaseName } from "../release.ts";
import { type Manifest, SUMS, SUMS_SIGNATURE } from "./manifest.ts";

/** Far below what GitHub takes (125,000 characters). */
const COMMITS_SHOWN = 50;

export function releaseNotes(
  release: Release,
  manifest: Pick<Manifest, "files" | "key">,
  { target, link }: { readonly target: string; readonly link: string },
): string {
  const { plan } = release;
  const changes = plan.commits
    .slice(0, COMMITS_SHOWN)
    .map(({ sha, author, title }) => `- ${escaped(shortTitle(title))} (${sha.slice(0, 7)}, ${escaped(author)})`);
  const since = plan.commitsSince === undefined ? [] : [`## Since ${plan.commitsSince}`, "", ...changes];
  const more = plan.commitsCut ? ["- and earlier ones"] : [];
  const check = manifest.key === undefined ? [] : [`gpg --verify ${SUMS_SIGNATURE} ${SUMS}`];
  return [
    ...(changes.length === 0 ? [] : [...since, ...more, ""]),
    ...(plan.skipTests === true ? ["The tests were skipped.", ""] : []),
    "## Files",
    "",
    `At \`${target}\`, of commit ${plan.sha}; [${releaseName(release)}](${link}) says who agreed.`,
    "",
    "```",
    ...manifest.files.map(({ name, sha256 }) => `${sha256}  ${name}`),
    "```",
    "",
    `Check them with \`${[`sha256sum -c ${SUMS}`, ...check].join(" && ")}\`.`,
    ...(manifest.key === undefined ? [] : ["", `The key is ${manifest.key.fingerprint}.`]),
    "",
  ].join("\n");
}

/** Whatever a commit says, it is text: no markup, no mention of anybody, no reference to another issue. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()<>#+!|~&]/g, "\\$&").replace(/@/g, "@\u200b");
}
