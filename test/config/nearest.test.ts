/** Which names a mistyped one is taken for. */
import { expect, test } from "vitest";
import { didYouMean, nearest } from "../../src/nearest.ts";

const PROJECTS = ["docker", "docker-registry", "hello"];
const COMMANDS = [
  "build",
  "rebuild",
  "cancel",
  "status",
  "last",
  "queue",
  "workers",
  "log",
  "help",
  "whoami",
  "version",
];

test.each<[string, string[], string[]]>([
  ["dokcer", PROJECTS, ["docker"]],
  ["Docker", PROJECTS, ["docker", "docker-registry"]],
  ["registry", PROJECTS, ["docker-registry"]],
  ["docker-regsitry", PROJECTS, ["docker-registry", "docker"]],
  ["docker-engine", PROJECTS, ["docker"]],
  ["helo", PROJECTS, ["hello"]],
  ["he", PROJECTS, ["hello"]],
  ["h", PROJECTS, []],
  ["", PROJECTS, []],
  ["banana", PROJECTS, []],
  ["x".repeat(100_000), PROJECTS, []],
  ["biuld", COMMANDS, ["build"]],
  ["buil", COMMANDS, ["build", "rebuild"]],
  ["hepl", COMMANDS, ["help"]],
  ["lgo", COMMANDS, ["log"]],
  ["worker", COMMANDS, ["workers"]],
  ["statsu", COMMANDS, ["status"]],
  ["deploy", COMMANDS, []],
])("%j among the names", (typed, names, expected) => {
  expect(nearest(typed, names)).toEqual(expected);
});

test("as many as are asked for, each once", () => {
  expect(nearest("ab", ["abc", "abd", "abe", "abf", "abc"])).toEqual(["abc", "abd", "abe"]);
  expect(nearest("ab", ["abc", "abd", "abe"], 1)).toEqual(["abc"]);
});

test.each<[string[], string]>([
  [[], ""],
  [["docker"], "Did you mean docker?"],
  [["a", "b"], "Did you mean a or b?"],
  [["a", "b", "c"], "Did you mean a, b or c?"],
])("%j is offered as %j", (names, expected) => {
  expect(didYouMean(names)).toBe(expected);
});

test("a name is offered the way it is typed", () => {
  expect(didYouMean(["build"], (name) => `!${name}`)).toBe("Did you mean !build?");
});
