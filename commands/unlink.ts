/** `!unlink`: an account is its own again. */

import { z } from "zod";
import { defineCommand } from "../src/chat/command.ts";
import { addressOf, groupOf, sameAccount, without } from "../src/chat/links.ts";
import { accountOf, ownerOf } from "../src/chat/people.ts";
import { quoted } from "../src/chat/quoted.ts";
import { say } from "../src/chat/reply.ts";
import { splitAddress } from "../src/config/people.ts";
import { UserError } from "../src/errors.ts";

export const unlink = defineCommand({
  name: "unlink",
  summary: "Cut an account from those it is linked with: one of yours, or as an admin anyone's.",
  examples: ["!unlink work/U0ADA"],
  changes: true,
  args: z.strictObject({ account: z.string() }),
  async run({ args, links, identity, config, message: { speaker } }) {
    const address = splitAddress(args.account);
    if (address === undefined) throw new UserError(`${quoted(args.account)} is no account such as libera/ada.`);
    const account = { network: address.network, account: address.rest };
    const by = accountOf(speaker);
    let rest: readonly string[] = [];
    await links.change((groups) => {
      const group = groupOf(groups, account);
      // What a group of two persons' accounts belongs to is nobody's, but each may take their own out of it.
      const own = by !== undefined && group.some((linked) => sameAccount(linked, by));
      if (!own && !identity.roles.has("admin") && ownerOf(config, groups, account).key !== identity.key)
        throw new UserError("You can cut accounts of your own; other people's take the role admin.");
      if (group.length === 0) throw new UserError(`${quoted(args.account)} is not linked with any account.`);
      rest = group.filter((linked) => !sameAccount(linked, account)).map(addressOf);
      return without(groups, account);
    });
    return say("info", [`${args.account} is no longer linked with ${rest.join(", ")}`]);
  },
});
