/**
 * Who a speaker is, and what they may do. A right hangs on an account that the network vouches for, never on a nick: an account
 * that `people:` names, or one that is linked with such a one.
 */

import type { Account, Person } from "../config/people.ts";
import type { Config, Role } from "../config.ts";
import { addressOf, type Group, groupOf, type LinkedAccount, sameAccount } from "./links.ts";
import type { Room, Speaker } from "./message.ts";

export interface Identity {
  /** The person's name in `people:`, else their account, else the nick they have at the moment. For eyes: two can have one name. */
  readonly name: string;
  /** The same for all accounts of a person and nobody else's, for counting and comparing: `person:ada`, `account:libera/ada`. */
  readonly key: string;
  readonly roles: ReadonlySet<Role>;
  /** What docker-ci knows them by, as a sentence without its full stop. */
  readonly because: string;
  /** What would give them a role, as a whole sentence. */
  readonly advice: string;
}

const ALL_ROLES: ReadonlySet<Role> = new Set<Role>(["developer", "approver", "admin"]);

export type PeopleConfig = Pick<Config, "people" | "defaultRoles" | "irc" | "slack" | "prefix">;

/** What the network vouches for; undefined for a bare nick and for the terminal. */
export function accountOf({ network, account }: Pick<Speaker, "network" | "account">): Account | undefined {
  return account === undefined ? undefined : { network, account };
}

/** Whether the links have a say in who that is: `people:` comes first, and a nick has none. */
export function dependsOnLinks(config: PeopleConfig, speaker: Speaker): boolean {
  const account = accountOf(speaker);
  return !speaker.trusted && account !== undefined && personOf(config, account) === undefined;
}

/**
 * `default_roles` are for rooms that are configured; a direct message has only the person's own.
 * @param groups the accounts that are linked; needed where `dependsOnLinks` says so.
 */
export function identify(config: PeopleConfig, speaker: Speaker, room: Room, groups: readonly Group[] = []): Identity {
  const { network, displayName } = speaker;
  if (speaker.trusted) {
    const because = "whoever has this terminal is an admin";
    return { name: displayName, key: "terminal", roles: ALL_ROLES, because, advice: "" };
  }
  const defaults = room.kind === "channel" ? defaultRoles(config, network) : [];
  const account = accountOf(speaker);
  if (account === undefined) {
    return {
      name: displayName,
      key: `nick:${network}/${displayName}`,
      roles: new Set(defaults),
      because: "you are not logged in to services, and a nick alone proves nothing",
      advice: `I do not know you: log in to services (/msg NickServ IDENTIFY), then ask an admin to add "${network}/<your account>".`,
    };
  }
  const { name, key, person, via, persons } = ownerOf(config, groups, account);
  const address = addressOf(account);
  const known = isSlack(config, network) ? `you are ${address}` : `you are logged in as ${address}`;
  const linked = via === undefined ? "" : `linked with ${addressOf(via)}, `;
  if (person !== undefined) {
    return {
      name,
      key,
      roles: new Set([...person.roles, ...defaults]),
      because: `${known}, ${linked}which is ${name} in people:`,
      advice: `Ask an admin to give ${name} that role.`,
    };
  }
  const nobody =
    persons.length === 0 ? "nobody in people: has" : `is linked with ${persons.join(" and with ")}, so it is neither's`;
  return { name, key, roles: new Set(defaults), because: `${known}, which ${nobody}`, advice: wayIn(config, address) };
}

/** An admin may do what a developer may; to approve is a right of its own, which nobody has by being an admin. */
export function mayAct(identity: Identity, role: Role | undefined): boolean {
  if (role === undefined || identity.roles.has(role)) return true;
  return role === "developer" && identity.roles.has("admin");
}

export interface Owner extends Pick<Identity, "name" | "key"> {
  readonly person: Person | undefined;
  /** The linked account that makes it this person's, where it is not in `people:` itself. */
  readonly via: LinkedAccount | undefined;
  /** Names in `people:` that its links lead to. More than one when `people:` was changed since: then they give nothing. */
  readonly persons: readonly string[];
}

/** Whose an account is: the person's that `people:` says, else the one's that it is linked with, else nobody's in `people:`. */
export function ownerOf(config: PeopleConfig, groups: readonly Group[], account: Account): Owner {
  const group = groupOf(groups, account);
  const persons = personsOf(config, [account, ...group]);
  const own = personOf(config, account);
  const [linked] = persons;
  const person = own ?? (persons.length === 1 ? linked : undefined);
  const names = persons.map(({ name }) => name);
  if (person !== undefined) {
    const via = own === undefined ? group.find((other) => personOf(config, other) === person) : undefined;
    return { name: person.name, key: `person:${person.name}`, person, via, persons: names };
  }
  // The name that people know is rather the one on IRC than an id in Slack.
  const shown = group.find(({ network }) => !isSlack(config, network)) ?? group[0] ?? account;
  const key = `account:${addressOf(persons.length > 1 ? account : (group[0] ?? account)).toLowerCase()}`;
  return { name: persons.length > 1 ? account.account : shown.account, key, person, via: undefined, persons: names };
}

/** Everybody in `people:` who has one of these accounts. */
export function personsOf(config: PeopleConfig, accounts: readonly Account[]): Person[] {
  return config.people.filter((person) => accounts.some((account) => personOf(config, account) === person));
}

function personOf(config: PeopleConfig, account: Account): Person | undefined {
  return config.people.find(({ irc, slack }) => [...irc, ...slack].some((known) => sameAccount(known, account)));
}

function isSlack(config: PeopleConfig, network: string): boolean {
  return config.slack.some(({ name }) => name === network);
}

function wayIn({ irc, slack, prefix }: PeopleConfig, address: string): string {
  const link =
    irc.length + slack.length > 1 ? `, or say ${prefix}link to me in private on a network where I know you` : "";
  return `Ask an admin to add "${address}" to people:${link}.`;
}

/** What anyone has in the rooms that are configured on that network. */
export function defaultRoles(config: PeopleConfig, network: string): readonly Role[] {
  const own = [...config.irc, ...config.slack].find(({ name }) => name === network);
  return own?.defaultRoles ?? config.defaultRoles;
}
