/**
 * The builds of the past by project, branch, person and failure, newest first, a page at a time.
 *
 * A build stands in a sorted set for every combination of filters that it matches, so that a page of any of them is one look-up
 * however many builds there are. That is about ten sets for each; the script that changes a record changes them with it.
 */
import type { Redis } from "ioredis";
import { BuildNumber, type ProjectName } from "../names.ts";
import type { Build } from "./build.ts";
import { branchOf } from "./expected.ts";

/** Every build. */
export const ALL = "docker-ci:builds";
const PEOPLE = "docker-ci:builds:people";
/** Names come from outside, as a commit's author does. */
const NAME_LENGTH = 100;

/** What is left out does not matter. */
export interface HistoryFilter {
  readonly project?: ProjectName | undefined;
  /** A branch or a tag. */
  readonly branch?: string | undefined;
  /** Who asked for it or wrote its commit, in whatever case. */
  readonly person?: string | undefined;
  /** Those that failed or could not run. */
  readonly onlyFailures?: boolean | undefined;
}

export interface HistoryQuery extends HistoryFilter {
  /** Only builds with a smaller number. */
  readonly before?: BuildNumber | undefined;
  /** The builds that come right after that number; `before` then counts for nothing. */
  readonly after?: BuildNumber | undefined;
  readonly limit: number;
}

export interface HistoryPage {
  /** The newest first. */
  readonly builds: readonly Build[];
  /** Where there are older ones: the `before` that gives them. */
  readonly older: BuildNumber | undefined;
  /** Where there are newer ones: the `after` that gives them. */
  readonly newer: BuildNumber | undefined;
}

/** A name and the newest build that carries it. */
export interface Recent {
  readonly name: string;
  readonly newest: BuildNumber;
}

/** What is written to the sorted sets: each entry's score is the build's number. */
export interface IndexChange {
  readonly add: readonly (readonly [key: string, member: string])[];
  readonly remove: readonly string[];
}

/** What `next` has to stand in, and what it stood in as `before` and does no longer. */
export function indexChange(next: Build, before?: Build): IndexChange {
  const keys = indexKeys(next);
  const kept = new Set(keys);
  const add = keys.map((key) => [key, String(next.number)] as const);
  const { revision, project } = next;
  const branches = revision?.kind === "branch" ? [[branchesOf(project), revision.ref] as const] : [];
  const people = namesIn(next).map((name) => [PEOPLE, name] as const);
  const remove = before === undefined ? [] : indexKeys(before).filter((key) => !kept.has(key));
  return { add: [...add, ...branches, ...people], remove };
}

/** Where a build stands: the sets that hold its number, and those of names in which it may be somebody's newest. */
export function indexPlaces(build: Build): { readonly keys: readonly string[]; readonly names: readonly string[] } {
  return { keys: indexKeys(build), names: [branchesOf(build.project), PEOPLE] };
}

/** The part of a script that does it: `json` is a Lua expression for an `IndexChange` as JSON, `number` one for the build's number. */
export function indexLua(json: string, number: string): string {
  return `
local index = cjson.decode(${json})
for _, entry in ipairs(index.add) do redis.call('ZADD', entry[1], 'GT', ${number}, entry[2]) end
for _, key in ipairs(index.remove) do redis.call('ZREM', key, ${number}) end
`;
}

/** @param read gives the builds of these numbers in the same order, without those that cannot be read. */
export function createHistory(redis: Redis, read: (numbers: readonly string[]) => Promise<Build[]>) {
  return {
    async page({ before, after, limit, ...filter }: HistoryQuery): Promise<HistoryPage> {
      const key = indexKey(filter);
      if (after !== undefined) {
        const above = await redis.zrange(key, `(${after}`, "+inf", "BYSCORE", "LIMIT", 0, limit + 1);
        // With fewer than a page it is the newest one, which is then whole.
        if (above.length > limit) {
          const numbers = above.slice(0, limit).toReversed();
          return { builds: await read(numbers), older: lastOf(numbers), newer: firstOf(numbers) };
        }
      }
      const end = before === undefined || after !== undefined ? "+inf" : `(${before}`;
      const below = await redis.zrange(key, end, "-inf", "BYSCORE", "REV", "LIMIT", 0, limit + 1);
      const numbers = below.slice(0, limit);
      return {
        builds: await read(numbers),
        older: below.length > limit ? lastOf(numbers) : undefined,
        newer: end === "+inf" ? undefined : (firstOf(numbers) ?? numberBefore(before)),
      };
    },

    /** The branches of a project that were built, the one with the newest build first. */
    branches: (project: ProjectName, limit: number) => recent(branchesOf(project), limit),

    /** Who asked for builds or wrote what was built, whoever did so last first. */
    people: (limit: number) => recent(PEOPLE, limit),
  };

  async function recent(key: string, limit: number): Promise<Recent[]> {
    const flat = await redis.zrange(key, 0, String(limit - 1), "REV", "WITHSCORES");
    return flat.flatMap((name, at) =>
      at % 2 === 0 ? [{ name, newest: BuildNumber.parse(Number(flat[at + 1])) }] : [],
    );
  }
}

/** Every combination of filters that the build matches. */
function indexKeys(build: Build): string[] {
  const bad = build.state.kind === "failed" || build.state.kind === "errored";
  const branch = namedBranch(build);
  const projects = [undefined, build.project];
  const branches = branch === undefined ? [undefined] : [undefined, branch];
  const people = [undefined, ...new Set(namesIn(build).map(folded))];
  const failures = bad ? [false, true] : [false];
  return projects.flatMap((project) =>
    branches.flatMap((ofBranch) =>
      people.flatMap((person) =>
        failures.map((onlyFailures) => indexKey({ project, branch: ofBranch, person, onlyFailures })),
      ),
    ),
  );
}

/** No branch and no project is called `*`, and the person, who may be called anything, comes last. */
function indexKey({ project, branch, person, onlyFailures = false }: HistoryFilter): string {
  if (branch === undefined && person === undefined && !onlyFailures) {
    return project === undefined ? ALL : `docker-ci:builds:project:${project}`;
  }
  const who = person === undefined ? "*" : `=${folded(person)}`;
  return `docker-ci:builds:by:${project ?? "*"}:${branch ?? "*"}:${onlyFailures ? "failures" : "*"}:${who}`;
}

const branchesOf = (project: ProjectName): string => `docker-ci:builds:branches:${project}`;

/** A commit that was asked for by its name is on no branch that anybody knows of. */
function namedBranch(build: Build): string | undefined {
  if (build.revision === undefined) return /^[0-9a-f]{7,64}$/.test(build.ref) ? undefined : build.ref;
  return build.revision.kind === "commit" ? undefined : branchOf(build);
}

function namesIn({ requester, revision }: Build): string[] {
  const names = [requester.name, revision?.author ?? ""].map((name) => [...name.trim()].slice(0, NAME_LENGTH).join(""));
  return [...new Set(names)].filter((name) => name !== "");
}

function folded(name: string): string {
  return [...name.trim()].slice(0, NAME_LENGTH).join("").toLowerCase();
}

function firstOf(numbers: readonly string[]): BuildNumber | undefined {
  return numbers[0] === undefined ? undefined : BuildNumber.parse(numbers[0]);
}

function lastOf(numbers: readonly string[]): BuildNumber | undefined {
  return firstOf(numbers.slice(-1));
}

/** Of a page that is empty: what comes after the number before its cursor. */
function numberBefore(before: BuildNumber | undefined): BuildNumber | undefined {
  return BuildNumber.safeParse((before ?? 0) - 1).data;
}
