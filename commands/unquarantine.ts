/** `!unquarantine`: a test counts again. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { say } from "../src/chat/reply.ts";
import { UserError } from "../src/errors.ts";
import { findTest } from "../src/flaky/find-test.ts";
import { shownName, shownTest } from "../src/flaky/shown-test.ts";

export const unquarantine = defineCommand({
  name: "unquarantine",
  summary: "End the quarantine of a test: its failure fails builds again.",
  examples: ["!unquarantine docker-registry TestBlobUpload"],
  role: "developer",
  repeatable: true,
  args: z.strictObject({ project: z.string(), test: z.string().meta({ label: "test or part of its name" }) }),
  async run({ args, builds, quarantine, config }) {
    const { name: project } = builds.project(args.project);
    const tests = (await quarantine.of(project)).map(({ test }) => test);
    const found = findTest(tests, args.test);
    if (found.kind !== "one") {
      const there = found.kind === "several" ? found.tests : tests;
      const list = there.length === 0 ? "None is." : `There are ${there.map(shownTest).slice(0, 5).join(", ")}.`;
      const which = found.kind === "several" ? "more than one test" : "no test";
      throw new UserError(`${which} of ${project} in quarantine has "${shownName(args.test)}" in its name. ${list}`);
    }
    await quarantine.remove(project, found.test);
    return say(
      "info",
      [`${project}: ${shownTest(found.test)} is out of quarantine, its failure fails builds again`],
      `${config.url}/projects/${project}`,
    );
  },
});
