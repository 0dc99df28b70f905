/** What the records of releases are kept behind; see `createReleaseStore`. */
import type { ProjectName } from "../names.ts";
import type { OutboxEntry } from "../queue/outbox-entry.ts";
import type { Release, ReleaseNumber, Version } from "./release.ts";

/** What changes of a record. */
export type ReleaseChanges = Partial<Pick<Release, "state" | "votes">>;

/** People asked for another release of the project, and that one is not over. */
export class ReleaseBusyError extends Error {
  override readonly name = "ReleaseBusyError";
  readonly number: ReleaseNumber;
  /** Undefined where its record cannot be read. */
  readonly release: Release | undefined;

  constructor(number: ReleaseNumber, release: Release | undefined) {
    super(`R${number} of that project is not over`);
    this.number = number;
    this.release = release;
  }
}

export interface ReleaseStore {
  /**
   * Takes the next number. @param asked names the request: within a day, those of one name get one release. @param announce gives
   * what is said of it, once its number is known.
   * @throws ReleaseBusyError: of a project, one that people asked for may be open at a time. Nights are not counted.
   */
  create(
    draft: Omit<Release, "number" | "change">,
    asked: string | undefined,
    announce: (number: ReleaseNumber) => readonly OutboxEntry[] | Promise<readonly OutboxEntry[]>,
  ): Promise<Release>;
  /** Writes the changes if the record is still as `before`, with what is said of it; undefined when somebody was quicker. */
  change(before: Release, changes: ReleaseChanges, announce?: readonly OutboxEntry[]): Promise<Release | undefined>;
  /** What a request of that name got within the last day. */
  asked(name: string): Promise<Release | undefined>;
  get(number: ReleaseNumber): Promise<Release | undefined>;
  /** Newest first. */
  latest(
    limit: number,
    filter?: { readonly project?: ProjectName; readonly before?: ReleaseNumber },
  ): Promise<readonly Release[]>;
  /** Those that wait or are being published, oldest first. */
  open(): Promise<readonly Release[]>;
  /** The one of a project that people asked for and that is not over. */
  underWay(project: ProjectName): Promise<Release | undefined>;
  /** The newest that published a version; never a rollback to it. */
  published(project: ProjectName, version: Version): Promise<Release | undefined>;
}
