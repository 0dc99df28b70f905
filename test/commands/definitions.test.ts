/** The list of commands: names, examples and summaries that help, usage lines and the README can be made from. */
import { describe, expect, test } from "vitest";
import { commands } from "../../commands/index.ts";
import { bindArguments } from "../../src/chat/arguments.ts";
import { usage } from "../../src/chat/command.ts";
import { parseLine } from "../../src/chat/grammar.ts";

test("every name, other names included, belongs to one command, and can be typed", () => {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(names).toEqual([...new Set(names)]);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z-]*$/);
});

test.each(
  "hello version list status notify watch force stop last mute unmute help commands source shutdown".split(" "),
)("!%s is here, by its name or another one (O-76)", (verb) => {
  expect(commands.filter(({ name, aliases }) => name === verb || aliases.includes(verb))).toHaveLength(1);
});

test("nothing that publishes or runs something is for everyone (O-174)", () => {
  const roles = new Map(commands.map(({ name, role }) => [name, role]));
  for (const name of ["build", "nightly", "release", "rollback", "approve", "unlock"]) {
    expect([name, roles.get(name)]).toEqual([name, expect.any(String)]);
  }
});

describe.each(commands.map((command) => [command.name, command] as const))("!%s", (name, command) => {
  test("says what it is for in whole sentences, and has an example", () => {
    expect(command.summary).toMatch(/^[A-Z].*\.$/);
    expect(command.examples.length).toBeGreaterThan(0);
  });

  test.each(command.examples)("%s is a line that it takes", (example) => {
    const parsed = parseLine(example, { prefix: "!", botName: "docker-ci", direct: false });
    if (parsed.kind !== "command") throw new Error("it is no command");
    expect(parsed.name).toBe(name);
    const bound = bindArguments(command, parsed);
    if (bound.kind !== "bound") throw new Error(bound.problem);
    expect(command.args.safeParse(bound.given).error?.issues).toBeUndefined();
  });

  test("takes every required argument before the optional ones", () => {
    expect(usage(command, "!")).toMatch(/^!\S+( <[^>]+>)*( \[[^\]]+\])*$/);
  });
});
