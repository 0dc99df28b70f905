/** Networks of the Engine. */
import { z } from "zod";
import { RuntimeError } from "../../src/errors.ts";
import type { Engine } from "./engine.ts";
import { labelFilter } from "./labels.ts";
import { Refusal, unless } from "./refusal.ts";

/** Containers in a network, by id; missing when there is none. */
const Connected = z.object({
  Containers: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((found) => found ?? {}),
});

/** A bridge of its own; one of that name that is there already will do. */
export async function createNetwork(
  engine: Engine,
  name: string,
  labels: Readonly<Record<string, string>>,
  internal: boolean,
): Promise<void> {
  const options = { Name: name, Driver: "bridge", Internal: internal, Labels: { ...labels }, CheckDuplicate: true };
  try {
    await unless(
      engine.ask((docker) => docker.createNetwork(options)),
      [409],
      undefined,
    );
  } catch (error) {
    // `could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network`
    if (error instanceof Refusal && error.message.includes("address pool")) {
      throw new RuntimeError("the Docker Engine has no addresses left for another network", { cause: error });
    }
    throw error;
  }
}

/** Removes a network, and first whatever is still in it; the Engine refuses to remove one in use. */
export async function removeNetwork(engine: Engine, name: string): Promise<void> {
  const network = await unless(
    engine.ask((docker) => docker.getNetwork(name).inspect()),
    [404],
    undefined,
  );
  if (network === undefined) return;
  for (const container of Object.keys(Connected.parse(network).Containers)) {
    // 404: it went by itself meanwhile. 500: `container x is not connected to network y`, for the same reason.
    const disconnecting = engine.ask((docker) =>
      docker.getNetwork(name).disconnect({ Container: container, Force: true }),
    );
    await unless(disconnecting, [404, 500], undefined);
  }
  await unless(
    engine.ask((docker) => docker.getNetwork(name).remove()),
    [404],
    undefined,
  );
}

/** Networks that carry all these labels. */
export async function findNetworks(
  engine: Engine,
  labels: Readonly<Record<string, string>>,
): Promise<readonly { name: string; labels: Readonly<Record<string, string>> }[]> {
  const found = await engine.ask((docker) => docker.listNetworks({ filters: { label: labelFilter(labels) } }));
  return found.map((network) => ({ name: network.Name, labels: network.Labels ?? {} }));
}
