/** Whether the chain of the audit log is whole, and if not, where it stops to be. */
import { Entry, hashOf, NO_ENTRY } from "./entry.ts";

/** Entries read at a time. */
const PAGE = 500;

export type Verdict =
  | { readonly ok: true; readonly count: number; readonly newest: string }
  /** `at` is the place in the list, counted from 1; the reason is a phrase. */
  | { readonly ok: false; readonly at: number; readonly reason: string };

export interface Chain {
  /** Entries as they are kept, from that index on, at most so many. */
  read(from: number, count: number): Promise<readonly string[]>;
  /** What the newest entry is said to be. */
  head(): Promise<readonly [count: number, hash: string]>;
}

export async function verifyChain(chain: Chain): Promise<Verdict> {
  let count = 0;
  let previous = NO_ENTRY;
  for (;;) {
    // Read first: an entry and the head come in together, so every entry up to this head is there to be read.
    const [headCount, headHash] = await chain.head();
    const page = await chain.read(count, PAGE);
    for (const text of page) {
      count += 1;
      const entry = readEntry(text);
      const reason = misfit(entry, count, previous);
      if (reason !== undefined) return { ok: false, at: count, reason };
      previous = entry?.hash ?? previous;
    }
    if (page.length > 0) continue;
    if (headCount > count)
      return { ok: false, at: count + 1, reason: `it is missing, and so is all up to ${headCount}` };
    if (headCount < count) return { ok: false, at: headCount + 1, reason: "it was added behind the newest" };
    if (headHash !== previous) return { ok: false, at: count, reason: "it is not the one that was written last" };
    return { ok: true, count, newest: previous };
  }
}

function readEntry(text: string): Entry | undefined {
  try {
    return Entry.safeParse(JSON.parse(text)).data;
  } catch {
    // No JSON at all is no entry either.
    return undefined;
  }
}

/** Why an entry cannot stand in that place. */
function misfit(entry: Entry | undefined, place: number, previous: string): string | undefined {
  if (entry === undefined) return "it cannot be read";
  if (entry.n !== place) return `number ${entry.n} stands there: one was taken out, slipped in or moved`;
  if (entry.previous !== previous) return "it does not follow the one before";
  if (entry.hash !== hashOf(entry)) return "it was changed";
  return undefined;
}
