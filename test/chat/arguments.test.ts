/** The words of a line as a command's arguments. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { bindArguments } from "../../src/chat/arguments.ts";
import { defineCommand } from "../../src/chat/command.ts";
import { parseLine } from "../../src/chat/grammar.ts";
import { say } from "../../src/chat/reply.ts";

const common = { summary: "For the test.", examples: [], run: () => say("info", ["done"]) };
const word = z.string().optional();
const commands = {
  build: defineCommand({
    ...common,
    name: "build",
    args: z.strictObject({
      project: z.string(),
      ref: word,
      params: z.record(z.string(), z.string()).default({}).meta({ takes: "pairs" }),
      keep: word.meta({ takes: "option" }),
    }),
  }),
  cancel: defineCommand({
    ...common,
    name: "cancel",
    args: z.strictObject({ build: z.string(), reason: word.meta({ takes: "rest" }) }),
  }),
  log: defineCommand({ ...common, name: "log", args: z.strictObject({ build: z.string(), what: word }) }),
  force: defineCommand({
    ...common,
    name: "force",
    filler: ["build"],
    args: z.strictObject({ project: z.string(), reason: word.meta({ takes: "rest" }), branch: word }),
  }),
  status: defineCommand({ ...common, name: "status", args: z.strictObject({}) }),
  release: defineCommand({
    ...common,
    name: "release",
    args: z.strictObject({
      version: z.string(),
      force: z.literal(true).optional().meta({ takes: "switch" }),
      ref: word,
    }),
  }),
};

function bind(line: string) {
  const parsed = parseLine(line, { prefix: "!", botName: "docker-ci", direct: false });
  if (parsed.kind !== "command") throw new Error(`${line} is no command`);
  const command = Object.values(commands).find(({ name }) => name === parsed.name);
  if (command === undefined) throw new Error(`${line} is another command`);
  const bound = bindArguments(command, parsed);
  return bound.kind === "bound" ? bound.given : bound.problem;
}

describe("words", () => {
  test.each<[string, Record<string, unknown>]>([
    ["!build hello", { project: "hello" }],
    ["!release 1.0.0 --force", { version: "1.0.0", force: true }],
    ["!release --force 1.0.0 main", { version: "1.0.0", ref: "main", force: true }],
    ["!release 1.0.0 force", { version: "1.0.0", ref: "force" }],
    ["!build hello main", { project: "hello", ref: "main" }],
    ["!build --keep 2h hello", { project: "hello", keep: "2h" }],
    ["!build hello --keep=2h main A=1", { project: "hello", ref: "main", keep: "2h", params: { A: "1" } }],
    ["!build hello keep=2h", { project: "hello", params: { keep: "2h" } }],
    ["!build 'hello' \"main\"", { project: "hello", ref: "main" }],
    ["!build hello A=1", { project: "hello", params: { A: "1" } }],
    ["!build hello A=1 main B='two words'", { project: "hello", ref: "main", params: { A: "1", B: "two words" } }],
    ["!build hello A=1=2 B=", { project: "hello", params: { A: "1=2", B: "" } }],
    ["!build hello ref=main", { project: "hello", ref: "main" }],
    ["!build ref=main hello", { project: "hello", ref: "main" }],
    ["!build hello REF=main PROJECT=x", { project: "hello", params: { REF: "main", PROJECT: "x" } }],
    ["!build --ref main hello", { project: "hello", ref: "main" }],
    ["!build hello --ref=main", { project: "hello", ref: "main" }],
    ["!build hello --REF main", { project: "hello", ref: "main" }],
    ["!cancel 43", { build: "43" }],
    ["!cancel 43 don't need it", { build: "43", reason: "don't need it" }],
    ["!cancel 43 --force A=1 is what I typed", { build: "43", reason: "--force A=1 is what I typed" }],
    ["!cancel 43 'one reason'", { build: "43", reason: "one reason" }],
    // Words that say nothing, and options on both sides of the first word (O-76).
    ["!force build hello why not", { project: "hello", reason: "why not" }],
    ["!force BUILD hello", { project: "hello" }],
    ["!force hello build it again", { project: "hello", reason: "build it again" }],
    ["!force build --branch=x hello why not", { project: "hello", branch: "x", reason: "why not" }],
    ["!force hello --branch x why not", { project: "hello", branch: "x", reason: "why not" }],
    ["!force hello why --branch x", { project: "hello", reason: "why --branch x" }],
    ["!force hello --other x", { project: "hello", reason: "--other x" }],
    ["!log 43 20", { build: "43", what: "20" }],
    ["!log 43 /a panic/i", { build: "43", what: "/a panic/i" }],
    ["!log build=43 what=5", { build: "43", what: "5" }],
    ["!log 43 what", { build: "43", what: "what" }],
    ["!status", {}],
  ])("%s", (line, expected) => {
    expect(bind(line)).toEqual(expected);
  });
});

describe("what does not fit", () => {
  test.each([
    ["!status now", 'one word too many: "now"'],
    ["!log 43 20 30", 'one word too many: "30"'],
    ["!log 43 20 A=1", 'one word too many: "A=1"'],
    ["!build hello main release", 'one word too many: "release"'],
    ["!build hello __proto__=1", "a variable cannot be called __proto__"],
    ["!build hello --now", "there is no option --now"],
    ["!build hello --params x", "there is no option --params"],
    ["!build hello --ref", "--ref has no value"],
    ["!release 1.0.0 --force=yes", "--force takes no value"],
    ["!build hello main --ref=other", "ref is given twice"],
    ["!build hello project=other", "project is given twice"],
  ])("%s: %s", (line, problem) => {
    expect(bind(line)).toBe(problem);
  });
});
