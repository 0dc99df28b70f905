/** Who a speaker is, and what they may do. */
import { describe, expect, test } from "vitest";
import { identify, mayAct } from "../../src/chat/people.ts";
import { NetworkName } from "../../src/names.ts";
import { configOf } from "../support/records.ts";

const PEOPLE = `
irc:
  - { name: libera, host: localhost, channels: ["#dev"] }
  - { name: inhouse, host: localhost, channels: ["#dev"], default_roles: [developer] }
  - { name: strict, host: localhost, channels: ["#dev"], default_roles: [] }
people:
  ada: { irc: [libera/Ada, inhouse/ada], roles: [developer, approver] }
  bob: { irc: libera/bob }
  eve: { irc: libera/eve, roles: admin }
`;

interface Speaking {
  readonly network?: string;
  readonly nick?: string;
  readonly account?: string;
  readonly kind?: "channel" | "direct";
  readonly defaults?: string;
  readonly trusted?: boolean;
}

function who({
  network = "libera",
  nick = "somebody",
  account,
  kind = "channel",
  defaults = "[]",
  trusted = false,
}: Speaking) {
  const name = NetworkName.parse(network);
  const speaker = { network: name, displayName: nick, account, trusted };
  const config = configOf(`${PEOPLE}default_roles: ${defaults}\n`);
  return identify(config, speaker, { network: name, kind, name: kind === "channel" ? "#dev" : nick });
}

describe("roles", () => {
  const nobody: string[] = [];
  test.each<[string, Speaking, string, string[]]>([
    ["an account in people: has its person's", { account: "ada" }, "ada", ["developer", "approver"]],
    ["an account's case does not matter", { account: "ADA" }, "ada", ["developer", "approver"]],
    ["the nick beside it does not either", { nick: "mallory", account: "ada" }, "ada", ["developer", "approver"]],
    ["a person without roles has none", { account: "bob" }, "bob", nobody],
    ["a nick alone proves nothing", { nick: "ada" }, "ada", nobody],
    ["an account of another network is another's", { network: "strict", account: "ada" }, "ada", nobody],
    ["an account that nobody has", { account: "carol", nick: "c" }, "carol", nobody],
    ["everybody's, in a channel", { defaults: "[developer]" }, "somebody", ["developer"]],
    ["everybody's and one's own", { account: "eve", defaults: "[developer]" }, "eve", ["admin", "developer"]],
    ["not everybody's in private", { defaults: "[developer]", kind: "direct" }, "somebody", nobody],
    ["one's own in private", { account: "ada", kind: "direct" }, "ada", ["developer", "approver"]],
    ["a network's own instead of everybody's", { network: "inhouse", defaults: "[admin]" }, "somebody", ["developer"]],
    ["also when a network has none", { network: "strict", defaults: "[developer]" }, "somebody", nobody],
    ["whoever has the terminal", { trusted: true, nick: "root" }, "root", ["developer", "approver", "admin"]],
  ])("%s", (_name, speaking, name, roles) => {
    const identity = who(speaking);
    expect([identity.name, [...identity.roles].toSorted()]).toEqual([name, roles.toSorted()]);
  });

  test.each([
    [{}, undefined, true],
    [{}, "developer", false],
    [{ account: "ada" }, "developer", true],
    [{ account: "ada" }, "approver", true],
    [{ account: "ada" }, "admin", false],
    [{ account: "eve" }, "admin", true],
    [{ account: "eve" }, "developer", true],
    [{ account: "eve" }, "approver", false],
  ] as const)("%o may do what takes %s: %s", (speaking, role, expected) => {
    expect(mayAct(who(speaking), role)).toBe(expected);
  });
});

describe("the way to a role", () => {
  test.each([
    [
      {},
      "you are not logged in to services, and a nick alone proves nothing",
      'I do not know you: log in to services (/msg NickServ IDENTIFY), then ask an admin to add "libera/<your account>".',
    ],
    [
      { account: "carol" },
      "you are logged in as libera/carol, which nobody in people: has",
      'Ask an admin to add "libera/carol" to people:, or say !link to me in private on a network where I know you.',
    ],
    [
      { account: "BOB" },
      "you are logged in as libera/BOB, which is bob in people:",
      "Ask an admin to give bob that role.",
    ],
  ])("for %o", (speaking, because, advice) => {
    expect(who(speaking)).toMatchObject({ because, advice });
  });
});
