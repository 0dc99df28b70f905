/** A pull request of an outsider in words, and the notice that it waits. */
import { SHORT_SHA, shortTitle } from "../builds/describe.ts";
import { line, type Reply } from "../chat/reply.ts";
import type { Config, Project } from "../config.ts";
import { roomsOf } from "../incidents/recipients.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import type { PullRequest } from "./pull-request.ts";
import type { Scene } from "./scene.ts";

const NAME_LENGTH = 40;

/** `docker PR#12 by mallory "Fix a typo"`; what it says of itself is cut. */
export function describePullRequest(project: Pick<Project, "name">, { number, by, title }: PullRequest): string {
  const who = by === "" ? "" : ` by ${[...shortTitle(by)].slice(0, NAME_LENGTH).join("")}`;
  return `${project.name} PR#${number}${who}${title === "" ? "" : ` "${shortTitle(title)}"`}`;
}

/** What lets it run, as it is typed; the project is left out where there is only one. */
export function okToTest({ prefix, projects }: Pick<Config, "prefix" | "projects">, project: Project, number: number) {
  return `${prefix}ok-to-test ${projects.size > 1 ? `${project.name} ` : ""}PR#${number}`;
}

/** For the project's rooms. */
export async function waitingNotices(
  { config, subscriptions, clock }: Pick<Scene, "config" | "subscriptions" | "clock">,
  project: Project,
  pull: PullRequest,
): Promise<OutboxEntry[]> {
  const sha = pull.head.slice(0, SHORT_SHA);
  const reply: Reply = {
    lines: [
      line(
        "info",
        [
          `${describePullRequest(project, pull)} waits for ${okToTest(config, project, pull.number)}`,
          `${sha} into ${pull.into}`,
        ],
        `${config.url}/projects/${project.name}`,
      ),
    ],
    // With the head in it, so that pressing it lets nothing run that came later.
    actions: [{ label: "OK to test", command: `ok-to-test ${project.name} PR#${pull.number} ${sha}`, style: "plain" }],
  };
  const rooms = await roomsOf(config, subscriptions, project.name, pull.into);
  return rooms.map((room) => ({
    id: `pull-${project.name}-${pull.number}-${pull.head}-waits`,
    at: clock.now().toISOString(),
    about: `${project.name} PR#${pull.number}`,
    outgoing: { room, reply, priority: "notice" },
  }));
}
