/** Machines that are none: network namespaces on a bridge, each with an address of its own. Takes root and iproute2. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Machine {
  readonly address: string;
  /** What stands before a command that runs there. */
  readonly launcher: readonly string[];
  /** Pulls the cable out, or puts it in again. */
  plug(isIn: boolean): Promise<void>;
}

export interface Machines extends AsyncDisposable {
  /** This machine's own address on their network. */
  readonly here: string;
  add(name: string): Promise<Machine>;
}

export async function openMachines(): Promise<Machines> {
  // Names of links are short, and tests run side by side.
  const id = randomBytes(2).toString("hex");
  const net = `10.${100 + ((randomBytes(1)[0] ?? 0) % 100)}.${randomBytes(1)[0] ?? 0}`;
  // A namespace of its own for what stands between them, as this machine's firewall has rules for what it passes on.
  const middle = `dc-${id}-switch`;
  const mine = `dc${id}`;
  const ip = (...args: string[]) => run("ip", args);
  await ip("netns", "add", middle);
  await ip("-n", middle, "link", "add", "br0", "type", "bridge");
  await ip("-n", middle, "link", "set", "br0", "up");
  await ip("link", "add", mine, "type", "veth", "peer", "name", "here", "netns", middle);
  await ip("-n", middle, "link", "set", "here", "master", "br0", "up");
  await ip("addr", "add", `${net}.1/24`, "dev", mine);
  await ip("link", "set", mine, "up");
  const namespaces: string[] = [];
  return {
    here: `${net}.1`,
    async add(name) {
      const space = `dc-${id}-${name}`;
      const address = `${net}.${namespaces.length + 2}`;
      await ip("netns", "add", space);
      namespaces.push(space);
      await ip("-n", middle, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", space);
      await ip("-n", middle, "link", "set", name, "master", "br0", "up");
      await ip("-n", space, "link", "set", "lo", "up");
      await ip("-n", space, "addr", "add", `${address}/24`, "dev", "eth0");
      await ip("-n", space, "link", "set", "eth0", "up");
      return {
        address,
        launcher: ["ip", "netns", "exec", space],
        plug: async (isIn) => void (await ip("-n", middle, "link", "set", name, isIn ? "up" : "down")),
      };
    },
    async [Symbol.asyncDispose]() {
      await ip("link", "del", mine);
      for (const space of [...namespaces, middle]) await ip("netns", "del", space);
    },
  };
}
