/** What follows once `latest` is moved: a tag, a release on the forge, old nights cleared away. None of it can undo the release. */
import { describeError } from "../../errors.ts";
import { GitRef } from "../../names.ts";
import { dayOf } from "../../report/days.ts";
import { cleanName } from "../../results/clean-name.ts";
import { releaseUrl } from "../words.ts";
import { filled } from "./layout.ts";
import { clearNights } from "./nights.ts";
import { releaseNotes } from "./notes.ts";
import type { Publication } from "./scene.ts";
import { servedManifest } from "./step-bucket.ts";

const WARNING_LENGTH = 200;

/** Each of them may fail by itself, which is a warning. */
export async function afterwards(publication: Publication): Promise<void> {
  const { release, config, unfinished, warnings, scene, signal } = publication;
  await unfinished.clear();
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      scene.log.warn({ release: release.number, err: error }, "a release lacks what follows it");
      warnings.push(cleanName(`${what}: ${describeError(error)}`).slice(0, WARNING_LENGTH));
    }
  };
  if (release.origin === "nightly") {
    await attempt("old nights were not cleared away", () => clearNights(publication));
    return;
  }
  const tag = tagOf(publication);
  if (tag !== undefined) await attempt(`no tag ${tag}`, () => setTag(publication, tag));
  if (config.forgeRelease) await attempt("no release on the forge", () => putForgeRelease(publication, tag));
}

function tagOf({ config, release }: Publication): string | undefined {
  const { project, version } = release.plan;
  const date = dayOf(new Date(release.requestedAt), "Etc/UTC");
  return config.tag === undefined ? undefined : filled(config.tag, { project, version, date });
}

async function setTag({ scene, project, release, signal }: Publication, name: string): Promise<void> {
  const tag = GitRef.safeParse(name);
  if (!tag.success) throw new Error("git takes no such name");
  if (scene.revisions === undefined) throw new Error("there is no engine here to reach the repository with");
  await scene.revisions.tag(project.repo, tag.data, release.plan.sha, signal);
}

async function putForgeRelease(publication: Publication, tag: string | undefined): Promise<void> {
  const { scene, project, release, place, signal } = publication;
  const { forge } = project;
  const api = forge === undefined ? undefined : scene.forgeApis?.(forge);
  if (forge === undefined || api?.release === undefined)
    throw new Error("there is no forge with releases and a token for this project");
  const { manifest } = await servedManifest(publication);
  const { version, sha, noLatest } = release.plan;
  const link = releaseUrl(scene.config.url, release);
  const notes = releaseNotes(release, manifest, { target: place.target, link });
  const name = tag ?? `v${version}`;
  const kind = { isPrerelease: version.includes("-"), ...(noLatest === true ? { isLatest: false as const } : {}) };
  await api.release(forge, { tag: name, sha, title: version, notes, ...kind }, signal);
}
