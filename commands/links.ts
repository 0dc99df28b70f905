/** `!links`: which accounts were linked. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { addressOf } from "../src/chat/links.ts";
import { ownerOf } from "../src/chat/people.ts";
import { line, say } from "../src/chat/reply.ts";
import { formatAge } from "../src/units.ts";

const SHOWN = 10;

export const links = defineCommand({
  name: "links",
  summary: "The accounts that people have linked; the newest come first.",
  examples: ["!links"],
  role: "admin",
  changes: false,
  args: z.strictObject({}),
  async run({ links: known, config, clock }) {
    const groups = (await known.all()).toReversed();
    if (groups.length === 0) return say("info", ["no accounts are linked"]);
    const lines = groups.slice(0, SHOWN).map((group) => {
      const [first] = group;
      const last = group.at(-1);
      if (first === undefined || last === undefined) return line("info", []);
      const { person, persons } = ownerOf(config, groups, first);
      const whose =
        person?.name ?? (persons.length > 0 ? `nobody's, both ${persons.join(" and ")}` : "nobody in people:");
      const age = formatAge(clock.now().getTime() - new Date(last.since).getTime());
      return line("info", [`${whose}: ${group.map(addressOf).join(", ")}`, `since ${age} ago`]);
    });
    return { lines: groups.length > SHOWN ? [...lines, line("info", [`${groups.length - SHOWN} more`])] : lines };
  },
});
