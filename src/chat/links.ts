/**
 * Accounts that are one person's, because somebody who has both has shown it (`!link`). Kept for ever in one value in Redis, and
 * read again for every command that needs it: a link that was cut gives no right in any process from then on.
 */
import type { Redis } from "ioredis";
import { z } from "zod";
import type { Account } from "../config/people.ts";
import { NetworkName } from "../names.ts";

const LINKS = "docker-ci:links";

/** KEYS: the value. ARGV: what it was when it was read, what it shall be ("" for nothing). Returns 1, or 0 when it has changed. */
const CHANGE = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1
`;

const LinkedAccount = z.strictObject({ network: NetworkName, account: z.string().min(1), since: z.iso.datetime() });
export type LinkedAccount = z.infer<typeof LinkedAccount>;

/** The accounts of one person, in the order in which they were linked. */
export type Group = readonly LinkedAccount[];

const Groups = z.array(z.array(LinkedAccount));

export interface Links {
  /** One round trip. @throws when Redis does not answer. */
  all(): Promise<readonly Group[]>;
  /** Applies an edit; it is called again when somebody else's came in between, and what it throws ends it. */
  change(edit: (groups: readonly Group[]) => readonly Group[]): Promise<void>;
}

export function createLinks(redis: Redis): Links {
  const read = (text: string | null): Group[] => (text === null ? [] : Groups.parse(JSON.parse(text)));
  return {
    all: async () => read(await redis.get(LINKS)),
    async change(edit) {
      for (;;) {
        const text = await redis.get(LINKS);
        const edited = edit(read(text));
        const next = edited.length === 0 ? "" : JSON.stringify(edited);
        if ((await redis.eval(CHANGE, 1, LINKS, text ?? "", next)) === 1) return;
      }
    },
  };
}

/** Services compare account names without regard to case (anope, atheme); Slack's ids are upper case throughout. */
export function sameAccount(a: Account, b: Account): boolean {
  return a.network === b.network && a.account.toLowerCase() === b.account.toLowerCase();
}

/** `libera/ada`, as `people:` has it. */
export function addressOf({ network, account }: Account): string {
  return `${network}/${account}`;
}

/** The accounts that are linked with this one, itself included; none when it is not linked. */
export function groupOf(groups: readonly Group[], account: Account): Group {
  return groups.find((group) => group.some((linked) => sameAccount(linked, account))) ?? [];
}

/** With two accounts, and all that is linked with either, made one person's. */
export function joined(groups: readonly Group[], a: Account, b: Account, since: string): readonly Group[] {
  const [ofA, ofB] = [groupOf(groups, a), groupOf(groups, b)];
  if (ofA.length > 0 && ofA === ofB) return groups;
  const alone = ({ network, account }: Account): Group => [{ network, account, since }];
  const both = [...(ofA.length > 0 ? ofA : alone(a)), ...(ofB.length > 0 ? ofB : alone(b))];
  return [...groups.filter((group) => group !== ofA && group !== ofB), both];
}

/** Without one account; a person with a single one left is linked no more. */
export function without(groups: readonly Group[], account: Account): readonly Group[] {
  return groups
    .map((group) => group.filter((linked) => !sameAccount(linked, account)))
    .filter((group) => group.length > 1);
}
