/** One message in place of a flood: what a room missed while it could not be told, as the latest of each thing. */
import { type Line, line, lineText, type Reply } from "../chat/reply.ts";
import { formatAge, formatCount } from "../units.ts";
import type { Folded, OutboxEntry } from "./outbox-entry.ts";

export interface DigestLimits {
  /** That many notices are still said one by one. */
  readonly over: number;
  /** How old the oldest notice has to be. */
  readonly olderMs: number;
}

export const DIGEST_LIMITS: DigestLimits = { over: 8, olderMs: 15 * 60_000 };

/** With more things than that, the first three have a line each and the others share one (FACE.md). */
const LINES = 5;
const LINES_OF_MANY = 3;

/** Whether it may be folded: news for a channel. An answer, and what is said to one person, is theirs and stays whole. */
function isNotice({ outgoing }: OutboxEntry): boolean {
  return outgoing.priority === "notice" && outgoing.to === undefined && outgoing.room.kind === "channel";
}

/** When it became news; of a digest, the oldest that is in it. */
export function since(entry: OutboxEntry): string {
  return entry.folded?.since ?? entry.at;
}

/**
 * The same list with its notices as one digest, in the place of the first of them; undefined as long as there are too few, or they
 * are too young. What cannot be read, and everything that is no notice, stays as it was and where it was.
 * @param list entries as they stand in Redis, with what they mean; from one room.
 * @param url where all of it can be read.
 */
export function withDigest(
  list: readonly { readonly json: string; readonly entry: OutboxEntry | undefined }[],
  { now, url, limits }: { now: Date; url: string | undefined; limits: DigestLimits },
): string[] | undefined {
  const notices = list.flatMap(({ entry }) => (entry !== undefined && isNotice(entry) ? [entry] : []));
  const [first] = notices;
  if (first === undefined || notices.length < 2) return undefined;
  const folded = fold(notices);
  const ageMs = now.getTime() - Date.parse(folded.since);
  if (folded.count <= limits.over || ageMs < limits.olderMs) return undefined;
  const digest: OutboxEntry = {
    id: first.folded === undefined ? `digest-${first.id}` : first.id,
    at: now.toISOString(),
    folded,
    outgoing: { room: first.outgoing.room, reply: digestReply(folded, ageMs, url), priority: "notice" },
  };
  return list.flatMap(({ json, entry }) => {
    if (entry === first) return [JSON.stringify(digest)];
    return entry !== undefined && isNotice(entry) ? [] : [json];
  });
}

/** Later notices, and earlier digests among them, told together. */
function fold(notices: readonly OutboxEntry[]): Folded {
  const news = new Map<string, Folded["news"][number]>();
  let count = 0;
  for (const entry of notices) {
    const told = entry.folded ?? { count: 1, news: [newsOf(entry)] };
    count += told.count;
    for (const each of told.news) {
      const before = news.get(each.about)?.count ?? 0;
      // Taken out first, so that the map's order is that of the latest news.
      news.delete(each.about);
      news.set(each.about, { ...each, count: before + each.count });
    }
  }
  const sinces = notices.map(since).sort();
  return { count, since: sinces[0] ?? new Date(0).toISOString(), news: [...news.values()] };
}

function newsOf({ id, about, outgoing: { reply } }: OutboxEntry): Folded["news"][number] {
  const latest = reply.lines[0] ?? line("info", [id]);
  return { about: about ?? reply.topic ?? reply.key ?? id, count: 1, latest };
}

/** `while I was away (2h10m): 14 notices`, then what is broken, then the rest. */
function digestReply({ count, news }: Folded, ageMs: number, url: string | undefined): Reply {
  const isBad = ({ latest }: Folded["news"][number]): boolean => latest.tone === "failed" || latest.tone === "errored";
  const sorted = [...news.filter(isBad), ...news.filter((each) => !isBad(each))];
  const whole = sorted.slice(0, sorted.length > LINES ? LINES_OF_MANY : LINES);
  const others = sorted.slice(whole.length);
  const told: Line[] = whole.map(({ latest, count: times }) =>
    line(latest.tone, [...latest.facts, times > 1 ? `the last of ${times}` : ""], latest.link),
  );
  if (others.length > 0) told.push(line("info", ["and", ...others.map(briefly)]));
  return {
    lines: [line("info", [`while I was away (${formatAge(ageMs)}): ${formatCount(count)} notices`], url), ...told],
  };
}

/** `✔ docker fixed by #45 in 2m51s`: the first thing its notice said. */
function briefly({ latest, about }: Folded["news"][number]): string {
  return lineText({ tone: latest.tone, facts: [latest.facts[0] ?? about] });
}
