/** The configuration's words for a network, in the adapter's. */
import { readFile } from "node:fs/promises";
import type { IrcNetwork } from "../../src/config.ts";
import { ConfigError, describeError } from "../../src/errors.ts";
import type { IrcOptions } from "./options.ts";

/** Reads the file of certificates, where there is one. @throws ConfigError when that cannot be read. */
export async function fromConfig(network: IrcNetwork, version: string): Promise<IrcOptions> {
  const { name, host, port, nick, account, password, channels, colours, pace } = network;
  return {
    name,
    host,
    port,
    tls: network.tls === false ? false : await tlsOptions(network.name, network.tls),
    nick,
    ...(account === undefined ? {} : { account }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    channels: channels.map((channel) => ({
      name: channel.name,
      ...(channel.key === undefined ? {} : { key: channel.key }),
    })),
    colours,
    pace,
    version: `docker-ci ${version}`,
  };
}

async function tlsOptions(name: string, { rejectUnauthorized, ca }: Exclude<IrcNetwork["tls"], false>) {
  if (ca === undefined) return { rejectUnauthorized };
  try {
    return { rejectUnauthorized, ca: await readFile(ca, "utf8") };
  } catch (error) {
    throw new ConfigError(
      "docker-ci cannot start.",
      [`irc (${name}): tls.ca ${ca} cannot be read (${describeError(error)})`],
      {
        cause: error,
      },
    );
  }
}
