/** What people do about incidents: look, and say that they are on it. */
import { type Room, roomKey } from "../chat/message.ts";
import { type Line, line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { ProjectName } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import { formatAge } from "../units.ts";
import { incidentName, topicOf } from "./describe.ts";
import type { Incident } from "./incident.ts";
import type { Ledger } from "./ledger.ts";
import { roomsOf } from "./recipients.ts";
import type { Subscriptions } from "./subscriptions.ts";

export type Incidents = ReturnType<typeof createIncidents>;

export function createIncidents(deps: { config: Config; ledger: Ledger; subscriptions: Subscriptions; clock: Clock }) {
  const { config, ledger, subscriptions, clock } = deps;

  /** `bob has docker-registry (broken for 6m since #43)` */
  function claimedLine(incident: Incident, by: string): Line {
    const { project, branch, firstBad, since } = incident;
    const other = branch === config.projects.get(project)?.branch ? "" : `branch ${branch}, `;
    const age = formatAge(clock.now().getTime() - Date.parse(since));
    return line("info", [`${by} has ${project} (${other}broken for ${age} since #${firstBad.number})`]);
  }

  return {
    /** All that is broken, the longest first. */
    open: (): Promise<Incident[]> => ledger.open(),

    /**
     * Writes down who mends a project's broken branches, and tells the other rooms that hear of them.
     * @param room where it was said, which gets the line as the answer.
     * @returns undefined when nothing of the project is broken.
     */
    async claim(project: ProjectName, by: string, room: Room): Promise<Line | undefined> {
      let said: Line | undefined;
      for (const { branch } of (await ledger.open()).filter((incident) => incident.project === project)) {
        for (;;) {
          const before = await ledger.read(project, branch);
          const { incident } = before.state;
          if (incident === undefined) break;
          const claimed = { ...incident, claimedBy: by };
          const news = claimedLine(claimed, by);
          const rooms = (await roomsOf(config, subscriptions, project, branch)).filter(
            (other) => roomKey(other) !== roomKey(room),
          );
          const entries = rooms.map(
            (other): OutboxEntry => ({
              id: `claim-${project}-${incident.firstBad.number}-${by}`,
              at: clock.now().toISOString(),
              about: incidentName(incident, config.projects.get(project)?.branch),
              outgoing: { room: other, reply: { lines: [news], topic: topicOf(incident) }, priority: "notice" },
            }),
          );
          if (!(await ledger.change(claimed, before, entries))) continue;
          said = news;
          break;
        }
      }
      return said;
    },
  };
}
