/** `!outbox`: what docker-ci has not been able to say yet. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { type Line, line, say } from "../src/chat/reply.ts";
import type { OutboxRoomState } from "../src/queue/outbox-rooms.ts";
import { formatAge, formatCount } from "../src/units.ts";

/** More rooms than that are three and a link. */
const LINES = 5;
const LINES_OF_MANY = 3;

export const outbox = defineCommand({
  name: "outbox",
  summary: "What waits to be said, where and why; what is stuck first.",
  examples: ["!outbox"],
  args: z.strictObject({}),
  async run({ outbox: read, config, clock }) {
    const { rooms, dropped } = (await read?.()) ?? { rooms: [], dropped: [] };
    const page = `${config.url}/outbox`;
    const [latest] = dropped;
    const givenUp =
      latest === undefined
        ? undefined
        : line(
            "info",
            [
              `${formatCount(dropped.length)} given up lately`,
              `the last ${formatAge(clock.now().getTime() - Date.parse(latest.at))} ago, for ${latest.network}/${latest.room}: ${latest.reason}`,
            ],
            page,
          );
    if (rooms.length === 0)
      return givenUp === undefined
        ? say("info", ["nothing waits"])
        : { lines: [{ ...givenUp, facts: ["nothing waits", ...givenUp.facts] }] };
    const shown = rooms.slice(0, rooms.length > LINES ? LINES_OF_MANY : LINES);
    const lines = shown.map((room) => roomLine(room, clock.now()));
    if (shown.length < rooms.length)
      lines.push(line("info", [`${formatCount(rooms.length - shown.length)} more rooms`], page));
    return { lines: givenUp === undefined ? lines : [...lines, givenUp] };
  },
});

/** `▲ libera/#docker-dev is stuck: 3 wait, the oldest for 2h10m · not in #docker-dev · tried 14 times, again in 20s` */
function roomLine(
  { network, room, waiting, oldestAt, stuck, reason, tries, nextAt }: OutboxRoomState,
  now: Date,
): Line {
  const age = oldestAt === undefined ? "" : `, the oldest for ${formatAge(now.getTime() - Date.parse(oldestAt))}`;
  const waits = `${formatCount(waiting)} ${waiting === 1 ? "waits" : "wait"}${age}`;
  const again = nextAt === undefined ? "" : `, again in ${formatAge(Date.parse(nextAt) - now.getTime())}`;
  return line(stuck ? "errored" : "queued", [
    `${network}/${room}${stuck ? " is stuck" : ""}: ${waits}`,
    reason ?? "",
    tries === 0 ? "" : `tried ${tries === 1 ? "once" : `${formatCount(tries)} times`}${again}`,
  ]);
}
