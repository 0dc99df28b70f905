/**
 * `!link`: two accounts of one person, shown by carrying a code each way.
 *
 *     libera/ada, in private:  link              → K7QF-2M9X, to be said by the other account
 *     work/U0ADA, in private:  link K7QF-2M9X    → libera/ada asked; 4TBN-X0RA, to be said by libera/ada
 *     libera/ada, in private:  link 4TBN-X0RA    → one person now
 *
 * A single code would not do. Who reads ada's first code over her shoulder and says it gets a second one that only ada's account
 * can say, and ada, who is at no time asked for a yes, has nothing to say it with. Who talks ada into saying a code of theirs
 * ("tell the bot: link K7QF-2M9X") needs the answer that ada alone then gets, which says who asked and what would come of it.
 * Both sides are private rooms, since a second code in a channel could be taken to its asker by anybody who reads there.
 */
import { z } from "zod";
import { actor } from "../src/audit/trail.ts";
import { type CommandContext, defineCommand } from "../src/chat/command.ts";
import { CODE_MINUTES, type Party } from "../src/chat/link-codes.ts";
import { addressOf, type Group, groupOf, joined } from "../src/chat/links.ts";
import { ownerOf, personsOf } from "../src/chat/people.ts";
import { line, type Reply, say } from "../src/chat/reply.ts";
import type { Account } from "../src/config/people.ts";
import { UserError } from "../src/errors.ts";

type Context = CommandContext<{ code?: string | undefined }>;

export const link = defineCommand({
  name: "link",
  summary: "Join two accounts of yours, by a code that one is given and the other says.",
  examples: ["!link", "!link K7QF-2M9X"],
  changes: true,
  args: z.strictObject({
    code: z
      .string()
      .regex(/^[0-9A-Za-z]{4}-?[0-9A-Za-z]{4}$/, "a code such as K7QF-2M9X")
      .optional()
      .meta({ secret: true }),
  }),
  async run(context) {
    const { args, linkCodes, links, config } = context;
    const by = party(context);
    if (args.code === undefined) return firstCode(await linkCodes.issue({ kind: "first", asker: by }), context);
    const ask = await linkCodes.redeem(args.code, by);
    if (ask.kind === "second") return join(ask.asker, ask.other, context);
    assertJoinable(config, await links.all(), ask.asker, by);
    return secondCode(await linkCodes.issue({ kind: "second", asker: ask.asker, other: by }), ask.asker, context);
  },
});

/** @throws UserError for whoever the network does not vouch for, or who speaks where others read. */
function party({ message: { speaker, room, botName } }: Context): Party {
  const { network, account, displayName, trusted } = speaker;
  if (trusted)
    throw new UserError("This terminal may do everything already: say link where you are somebody's account.");
  if (account === undefined)
    throw new UserError("I link accounts, not nicks: log in to services first (/msg NickServ IDENTIFY).");
  if (room.kind !== "direct")
    throw new UserError(`That is between us: say it to me in private (/msg ${botName} link, or a direct message).`);
  return { network, account, displayName, room };
}

function firstCode(code: string, { config: { prefix } }: Context): Reply {
  return say("info", [
    `${code}: say ${prefix}link ${code} to me in private from your other account, within ${CODE_MINUTES} minutes`,
    "there I give you a second code, to be said here",
  ]);
}

function secondCode(code: string, asker: Account, { config: { prefix } }: Context): Reply {
  const who = addressOf(asker);
  return {
    lines: [
      line("info", [
        `${who} asked for that code`,
        `if ${who} is you too, say ${prefix}link ${code} there, in private, within ${CODE_MINUTES} minutes`,
      ]),
      line("info", [`Give ${code} to nobody: with it ${who} is you, and may do what you may.`]),
    ],
  };
}

async function join(asker: Party, other: Party, context: Context): Promise<Reply> {
  const { links, audit, config, clock, message, identity, chats } = context;
  const both = `${addressOf(asker)} and ${addressOf(other)}`;
  let after: readonly Group[] = [];
  await links.change((groups) => {
    assertJoinable(config, groups, asker, other);
    after = joined(groups, asker, other, clock.now().toISOString());
    return after;
  });
  await audit.record({ ...actor(identity, message), action: "linked", detail: both, outcome: "accepted" });
  const { name, person } = ownerOf(config, after, asker);
  const roles = person === undefined || person.roles.length === 0 ? "no roles" : `roles: ${person.roles.join(", ")}`;
  const told = (account: Account): Reply =>
    say("info", [
      `${both} are one person now: ${name}`,
      roles,
      `${config.prefix}unlink ${addressOf(account)} undoes it`,
    ]);
  const { room, displayName: to } = other;
  // A courtesy to the other side: the answer here says the same, and whoami there does.
  void chats
    .get(room.network)
    ?.send({ room, reply: told(other), to, priority: "notice" })
    .catch(() => undefined);
  return told(other);
}

/** @throws UserError when they are one person's already, or two's. */
function assertJoinable(config: Context["config"], groups: readonly Group[], a: Account, b: Account): void {
  const both = `${addressOf(a)} and ${addressOf(b)}`;
  const [ofA, ofB] = [ownerOf(config, groups, a), ownerOf(config, groups, b)];
  if (ofA.key === ofB.key) throw new UserError(`${both} are one person's already: ${ofA.name}.`);
  const all = [a, b, ...groupOf(groups, a), ...groupOf(groups, b)];
  const persons = personsOf(config, all).map(({ name }) => name);
  if (persons.length > 1)
    throw new UserError(
      `${both} lead to ${persons.join(" and ")}, who are different people: only an admin can change that, in people:.`,
    );
}
