/** Who looks at a page or asks over the API, once they have shown who they are. */
import type { Context } from "hono";
import type { Requester } from "../../builds/build.ts";
import { type Identity, mayAct } from "../../chat/people.ts";
import type { Config, Role } from "../../config.ts";
import { WEB_NETWORK } from "../../names.ts";

/** How they showed it. */
export type Login = "password" | "token" | "proxy";

export interface Visitor {
  readonly identity: Identity;
  /** What they are called on the page: the web user, a token's name, or what the proxy said. */
  readonly account: string;
  readonly login: Login;
  /** Where the request came from; what stands in front of the page and is trusted is looked through. */
  readonly address: string;
  /** What a form of theirs must bring, so that no other site can send it in their name. */
  readonly formToken: string;
}

declare module "hono" {
  interface ContextVariableMap {
    visitor: Visitor | undefined;
    address: string;
  }
}

/** Undefined for somebody who is not logged in. */
export function visitorOf(c: Context): Visitor | undefined {
  const visitor: Visitor | undefined = c.get("visitor");
  return visitor;
}

/** Whether to show them the buttons of what takes that role. */
export function mayDo(visitor: Visitor | undefined, role: Role = "developer"): boolean {
  return visitor !== undefined && mayAct(visitor.identity, role);
}

/**
 * The person of that web name in `people:`; else the web user may do what whoever runs docker-ci may, a token what a developer may,
 * and whom only the proxy knows may look.
 */
export function identifyWeb(config: Pick<Config, "people">, account: string, login: Login): Identity {
  const person = login === "token" ? undefined : config.people.find(({ web }) => web.includes(account));
  const because = { password: "you are logged in as", token: "your token is", proxy: "the proxy says that you are" };
  if (person !== undefined) {
    return {
      name: person.name,
      key: `person:${person.name}`,
      roles: new Set(person.roles),
      because: `${because[login]} ${account}, which is ${person.name} in people:`,
      advice: `Ask an admin to give ${person.name} that role.`,
    };
  }
  const roles: readonly Role[] = {
    password: ["developer", "admin"] as const,
    token: ["developer"] as const,
    proxy: [],
  }[login];
  return {
    name: account,
    key: `${login === "token" ? "token" : "web"}:${account}`,
    roles: new Set(roles),
    because: `${because[login]} ${account}`,
    advice:
      login === "token"
        ? "A token is a developer's."
        : `Ask an admin to add "web: ${account}" to somebody in people:, with that role.`,
  };
}

/** As a build's record has who asked for it. */
export function webRequester({ identity, account }: Visitor): Requester {
  return {
    name: identity.name,
    displayName: identity.name,
    account,
    network: WEB_NETWORK,
    room: { network: WEB_NETWORK, kind: "direct", name: account },
  };
}
