/** Who a speaker is, and what they may do. A right hangs on an account that the network vouches for, never on a nick. */
import type { Config, Role } from "../config.ts";
import type { Room, Speaker } from "./message.ts";

export interface Identity {
  /** The person's name in `people:`, else their account, else the nick they have at the moment. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** What docker-ci knows them by, as a sentence without its full stop. */
  readonly because: string;
  /** What would give them a role, as a whole sentence. */
  readonly advice: string;
}

const ALL_ROLES: ReadonlySet<Role> = new Set<Role>(["developer", "approver", "admin"]);

type PeopleConfig = Pick<Config, "people" | "defaultRoles" | "irc" | "slack">;

/** `default_roles` are for rooms that are configured; a direct message has only the person's own. */
export function identify(config: PeopleConfig, speaker: Speaker, room: Room): Identity {
  const { network, account, displayName } = speaker;
  if (speaker.trusted) {
    return { name: displayName, roles: ALL_ROLES, because: "whoever has this terminal is an admin", advice: "" };
  }
  const address = account === undefined ? undefined : `${network}/${account}`;
  const defaults = room.kind === "channel" ? defaultRoles(config, network) : [];
  const person = config.people.find(({ irc, slack }) =>
    [...irc, ...slack].some(
      (known) => known.network === network && account !== undefined && sameAccount(known.account, account),
    ),
  );
  if (person !== undefined) {
    return {
      name: person.name,
      roles: new Set([...person.roles, ...defaults]),
      because: `you are logged in as ${address}, which is ${person.name} in people:`,
      advice: `Ask an admin to give ${person.name} that role.`,
    };
  }
  if (address !== undefined) {
    return {
      name: account ?? displayName,
      roles: new Set(defaults),
      because: `you are logged in as ${address}, which nobody in people: has`,
      advice: `Ask an admin to add "${address}" to people:.`,
    };
  }
  return {
    name: displayName,
    roles: new Set(defaults),
    because: "you are not logged in to services, and a nick alone proves nothing",
    advice: `I do not know you: log in to services (/msg NickServ IDENTIFY), then ask an admin to add "${network}/<your account>".`,
  };
}

/** An admin may do what a developer may; to approve is a right of its own, which nobody has by being an admin. */
export function mayAct(identity: Identity, role: Role | undefined): boolean {
  if (role === undefined || identity.roles.has(role)) return true;
  return role === "developer" && identity.roles.has("admin");
}

function defaultRoles(config: PeopleConfig, network: string): readonly Role[] {
  const own = [...config.irc, ...config.slack].find(({ name }) => name === network);
  return own?.defaultRoles ?? config.defaultRoles;
}

/** Services compare account names without regard to case (anope, atheme); Slack's ids are upper case throughout. */
function sameAccount(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
