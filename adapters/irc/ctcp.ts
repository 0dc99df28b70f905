/** CTCP VERSION, which people and networks ask of every client. The library would answer each of a flood of them at once. */
import type { Client } from "irc-framework";
import { clean } from "./text.ts";

const AT_MOST_EVERY_MS = 3_000;

export function answerVersion(client: Client, version: string): void {
  let answeredAt = Number.NEGATIVE_INFINITY;
  client.on("ctcp request", ({ type, nick }) => {
    const now = performance.now();
    if (type !== "VERSION" || nick === "" || now - answeredAt < AT_MOST_EVERY_MS) return;
    answeredAt = now;
    client.raw(`NOTICE ${nick} :\x01VERSION ${clean(version)}\x01`);
  });
}
