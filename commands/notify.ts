/** `!notify`: whether this room hears of builds by itself; in the words of Buildbot's bot, for those who know it. */
import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { roomKey } from "../src/chat/message.ts";
import { say } from "../src/chat/reply.ts";
import { configured, hearsWords, readEvents, whatIsHeard } from "../src/incidents/subscribed.ts";
import { DEFAULT_EVENTS } from "../src/incidents/subscriptions.ts";

export const notify = defineCommand({
  name: "notify",
  summary: "Whether this room hears by itself of what breaks and is mended, in every project; or what it hears of.",
  examples: ["!notify on", "!notify on broken,fixed", "!notify off", "!notify list"],
  changes: true,
  repeatable: true,
  unlisted: true,
  args: z.strictObject({
    state: z
      .enum(["on", "off", "list"], { error: "on, off or list; to hear of one project there is subscribe" })
      .meta({ label: "on, off or list" }),
    events: z.string().optional().meta({ takes: "rest" }),
  }),
  async run({ args, subscriptions, message, config, clock }) {
    const { room } = message;
    switch (args.state) {
      case "on": {
        const events = args.events === undefined ? [...DEFAULT_EVENTS] : readEvents(args.events);
        await subscriptions.add({ room, events });
        return say("info", [`this room hears of ${hearsWords({ events })}`, `${config.prefix}notify off ends it`]);
      }
      case "off": {
        const count = await subscriptions.removeAll(room);
        const still = configured(config, (other) => roomKey(other) === roomKey(room));
        if (still.length > 0)
          return say("info", [
            `this room still hears of ${still.join(", ")}`,
            `${config.prefix}mute quiets it for a while`,
          ]);
        return say("info", [count === 0 ? "this room had no subscription" : "this room hears no more by itself"]);
      }
      case "list":
        return say("info", await whatIsHeard(room, { config, subscriptions, clock }));
      default:
        return args.state satisfies never;
    }
  },
});
