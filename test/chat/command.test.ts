/** A command as one value: its usage line and its examples come from it. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineCommand, examplesOf, usage } from "../../src/chat/command.ts";
import { say } from "../../src/chat/reply.ts";

const word = z.string();
function commandOf<Shape extends z.core.$ZodLooseShape>(args: z.ZodObject<Shape, z.core.$strict>) {
  const examples = ["!do", "!do it!"];
  return defineCommand({ name: "do", summary: "Does it.", examples, args, run: () => say("info", ["done"]) });
}

describe("the usage line", () => {
  test.each([
    ["nothing", commandOf(z.strictObject({})), "!do"],
    ["what must be there", commandOf(z.strictObject({ project: word })), "!do <project>"],
    ["what may be left out", commandOf(z.strictObject({ project: word, ref: word.optional() })), "!do <project> [ref]"],
    ["what has a default", commandOf(z.strictObject({ count: word.default("5") })), "!do [count]"],
    [
      "a label",
      commandOf(z.strictObject({ what: word.optional().meta({ label: "lines or /pattern/" }) })),
      "!do [lines or /pattern/]",
    ],
    ["free text", commandOf(z.strictObject({ reason: word.optional().meta({ takes: "rest" }) })), "!do [reason…]"],
    [
      "free text that must be there",
      commandOf(z.strictObject({ reason: word.meta({ takes: "rest" }) })),
      "!do <reason…>",
    ],
    [
      "pairs",
      commandOf(z.strictObject({ params: z.record(word, word).default({}).meta({ takes: "pairs" }) })),
      "!do [key=value…]",
    ],
    [
      "an option",
      commandOf(z.strictObject({ keep: word.optional().meta({ takes: "option", label: "time" }) })),
      "!do [--keep=time]",
    ],
  ])("shows %s", (_name, command, expected) => {
    expect(usage(command, "!")).toBe(expected);
  });

  test("and the examples have the prefix that is configured", () => {
    const command = commandOf(z.strictObject({ project: word }));
    expect(usage(command, "$&")).toBe("$&do <project>");
    expect(examplesOf(command, "$&")).toEqual(["$&do", "$&do it!"]);
  });
});
