/** `people:` — humans, the accounts that are theirs, and what they may do. */
import { z } from "zod";
import { NetworkName } from "../names.ts";
import { choice, mapping, oneOrMany, scalar, section } from "./scalars.ts";
import { webName } from "./web.ts";

/** What can be given to somebody; what everyone may do needs no role. */
export const Role = choice(["developer", "approver", "admin"]);
export type Role = z.output<typeof Role>;

export const roles = oneOrMany(Role, "developer, approver or admin");

/** What a network vouches for: a services account on IRC, a user id in Slack. */
export interface Account {
  readonly network: NetworkName;
  readonly account: string;
}

export interface Person {
  readonly name: string;
  readonly irc: readonly Account[];
  readonly slack: readonly Account[];
  /** What they are called on the page: the web user, or the name that the proxy in front gives them. */
  readonly web: readonly string[];
  readonly email: string | undefined;
  readonly roles: readonly Role[];
}

/** Splits `libera/ada` at its first slash; `undefined` when a side is missing or the left one is no network's name. */
export function splitAddress(value: string): { network: NetworkName; rest: string } | undefined {
  const slash = value.indexOf("/");
  const network = NetworkName.safeParse(value.slice(0, Math.max(0, slash)));
  const rest = value.slice(slash + 1).trim();
  return network.success && rest !== "" ? { network: network.data, rest } : undefined;
}

const account = scalar("an account such as libera/ada", (value): Account | undefined => {
  const address = splitAddress(value);
  if (address === undefined || /\s/.test(address.rest)) return undefined;
  return { network: address.network, account: address.rest };
});

const accounts = oneOrMany(account, "accounts such as libera/ada").default([]);

const person = section({
  irc: accounts,
  slack: accounts,
  web: oneOrMany(webName, "names of the page's users").default([]),
  email: scalar("a mail address", (value) => (/^[^\s@]+@[^\s@]+$/.test(value) ? value : undefined)).optional(),
  roles: roles.default([]),
});

const personName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, '.', '_' and '-', at most 64");

export const people = mapping(personName, person, "a mapping of names to people").transform((entries): Person[] =>
  Object.entries(entries).map(([name, { irc, slack, web, email, roles }]) => ({ name, irc, slack, web, email, roles })),
);
