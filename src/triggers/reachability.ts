/** Says once that a repository has been out of reach for a while, and once that it is back. */
import { z } from "zod";
import { roomKey } from "../chat/message.ts";
import { type Line, line } from "../chat/reply.ts";
import { shownRepository } from "../config/repository.ts";
import type { Project } from "../config.ts";
import { roomsOf } from "../incidents/recipients.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { cleanName } from "../results/clean-name.ts";
import { formatAge } from "../units.ts";
import { keptHash } from "./kept.ts";
import { repositoryKey, type Scene } from "./scene.ts";

/** Shorter outages mend themselves, and nobody has to hear of them. */
const SILENT_MS = 15 * 60_000;

const Outage = z.strictObject({ since: z.iso.datetime(), wasTold: z.boolean() });

type ReachScene = Pick<Scene, "config" | "redis" | "subscriptions" | "clock">;

/** @param reason one phrase, with the address as it may be shown. @param projects those of the repository. */
export async function noteUnreachable(
  scene: ReachScene,
  repo: string,
  projects: readonly Project[],
  reason: string,
): Promise<void> {
  const outages = outagesOf(scene);
  for (;;) {
    const before = await outages.read(repositoryKey(repo));
    const now = scene.clock.now();
    const outage = before.value ?? { since: now.toISOString(), wasTold: false };
    const age = now.getTime() - Date.parse(outage.since);
    const isDue = age >= SILENT_MS && !outage.wasTold;
    if (before.value !== undefined && !isDue) return;
    const told = line("errored", [
      `${namesOf(projects)}: ${cleanName(reason)}`,
      `for ${formatAge(age)} now`,
      "what is pushed meanwhile is built when it is back",
    ]);
    const entries = isDue ? await noticesOf(scene, projects, told, `unreachable-${outage.since}`) : [];
    if (await outages.change(repositoryKey(repo), before, { ...outage, wasTold: isDue }, entries)) return;
  }
}

export async function noteReachable(scene: ReachScene, repo: string, projects: readonly Project[]): Promise<void> {
  const outages = outagesOf(scene);
  for (;;) {
    const before = await outages.read(repositoryKey(repo));
    if (before.json === "") return;
    const { since, wasTold } = before.value ?? { since: "", wasTold: false };
    const age = formatAge(scene.clock.now().getTime() - Date.parse(since));
    const told = line("info", [
      `${namesOf(projects)}: ${shownRepository(repo)} can be reached again`,
      `it was away for ${age}`,
    ]);
    const entries = wasTold ? await noticesOf(scene, projects, told, `reachable-${since}`) : [];
    if (await outages.change(repositoryKey(repo), before, undefined, entries)) return;
  }
}

const outagesOf = ({ redis }: ReachScene) => keptHash(redis, "docker-ci:triggers:outages", Outage);

function namesOf(projects: readonly Project[]): string {
  const names = projects.map(({ name }) => name);
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

/** For the rooms of all these projects, each once. */
async function noticesOf(
  { config, subscriptions, clock }: ReachScene,
  projects: readonly Project[],
  told: Line,
  id: string,
): Promise<OutboxEntry[]> {
  const rooms = await Promise.all(projects.map(({ name, branch }) => roomsOf(config, subscriptions, name, branch)));
  const once = new Map(rooms.flat().map((room) => [roomKey(room), room]));
  return [...once.values()].map((room) => ({
    id: `repository-${projects[0]?.name ?? ""}-${id}`,
    at: clock.now().toISOString(),
    about: namesOf(projects),
    outgoing: { room, reply: { lines: [told] }, priority: "notice" },
  }));
}
