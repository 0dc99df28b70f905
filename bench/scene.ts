/** What the benchmarks share: docker-ci on an ngircd of its own, with a person in its channel. */
import { openSite, type Site } from "../test/support/docker-ci.ts";
import { connectPerson, type Person } from "../test/support/irc-client.ts";
import type { Ngircd } from "../test/support/ngircd.ts";
import { waitFor } from "../test/support/wait-for.ts";

export const CHANNEL = "#docker-dev";

/** What a benchmark came to; `index.ts` exits with 1 when a target was missed. */
export interface Benchmark {
  readonly title: string;
  /** Prints as it goes, and ends early when the signal aborts. @returns whether every target was reached. */
  run(signal: AbortSignal): Promise<boolean>;
}

/** docker-ci's configuration for these servers. */
export function onServers(servers: readonly { readonly port: number }[], more = ""): string {
  const networks = servers.map(
    ({ port }, index) =>
      `  - { name: net${index + 1}, host: 127.0.0.1, port: ${port}, tls: false, nick: docker-ci, colours: false, channels: ["${CHANNEL}"], pace: { burst: 100, per_second: 100 } }`,
  );
  return `default_roles: [developer]\nirc:\n${networks.join("\n")}\n${more}`;
}

export async function personIn(server: Ngircd, nick: string, channel = CHANNEL): Promise<Person> {
  const person = await connectPerson(server, nick);
  await person.join(channel);
  return person;
}

/** docker-ci up, in the channel, and done with what it does at its start. */
export async function startAndSettle(site: Site, person: Person): Promise<void> {
  const bot = await site.start();
  await person.hear(/:docker-ci!\S+ JOIN/, 30_000);
  // The first start on a machine builds the testbuilder's image.
  await waitFor("the testbuilder", () => bot.stdout().includes("testbuilder started"), { timeoutMs: 120_000 });
}

export { openSite };
