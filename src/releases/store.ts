/** What the records of releases are kept behind; see `createReleaseStore`. */
import type { ProjectName } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import type { Release, ReleaseNumber, Version } from "./release.ts";

/** What changes of a record. */
export type ReleaseChanges = Partial<Pick<Release, "state" | "votes">>;

export interface ReleaseStore {
  /** Takes the next number. @param asked names the request: within a day, those of one name get one release. */
  create(
    draft: Omit<Release, "number" | "change">,
    asked: string | undefined,
    announce: readonly OutboxEntry[],
  ): Promise<Release>;
  /** Writes the changes if the record is still as `before`, with what is said of it; undefined when somebody was quicker. */
  change(before: Release, changes: ReleaseChanges, announce?: readonly OutboxEntry[]): Promise<Release | undefined>;
  get(number: ReleaseNumber): Promise<Release | undefined>;
  /** Newest first. */
  latest(
    limit: number,
    filter?: { readonly project?: ProjectName; readonly before?: ReleaseNumber },
  ): Promise<readonly Release[]>;
  /** Those that wait or are published, oldest first. */
  open(): Promise<readonly Release[]>;
  /** The newest published of a version. */
  published(project: ProjectName, version: Version): Promise<Release | undefined>;
}
