/** Named volumes of the Engine. */
import { randomUUID } from "node:crypto";
import type { Engine } from "./engine.ts";
import { labelFilter } from "./labels.ts";
import { unless } from "./refusal.ts";

/** Names one creation: a second one leaves the volume as it is, with the label of the first. */
const CREATION = "docker-ci.creation";

/** @returns whether it was made now, and not by somebody else just before. */
export async function createVolume(
  engine: Engine,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<boolean> {
  const creation = randomUUID();
  const Labels = { ...labels, [CREATION]: creation };
  // dockerode keeps the answer to itself. One made by hand has no labels.
  const made = await engine.ask(async (docker) => {
    await docker.createVolume({ Name: name, Labels });
    return docker.getVolume(name).inspect();
  });
  return made.Labels?.[CREATION] === creation;
}

/** Volumes that carry all these labels. */
export async function findVolumes(
  engine: Engine,
  labels: Readonly<Record<string, string>>,
): Promise<readonly { name: string; labels: Readonly<Record<string, string>> }[]> {
  const { Volumes } = await engine.ask((docker) => docker.listVolumes({ filters: { label: labelFilter(labels) } }));
  // An Engine without any says null.
  return (Volumes ?? []).map(({ Name, Labels }) => {
    const { [CREATION]: _, ...others } = Labels ?? {};
    return { name: Name, labels: others };
  });
}

/** 404: it is gone. 409: a container uses it. */
export async function removeVolume(engine: Engine, name: string): Promise<void> {
  await unless(
    engine.ask((docker) => docker.getVolume(name).remove()),
    [404, 409],
    undefined,
  );
}
