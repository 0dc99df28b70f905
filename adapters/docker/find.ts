/** Containers found again by their labels, after a restart of ours for instance. */
import type { FoundContainer } from "../../src/runtime.ts";
import { DockerContainer } from "./container.ts";
import type { Engine } from "./engine.ts";
import { labelFilter } from "./labels.ts";

/** Oldest first. */
export async function findContainers(
  engine: Engine,
  labels: Readonly<Record<string, string>>,
): Promise<readonly FoundContainer[]> {
  const filters = { label: labelFilter(labels) };
  const found = await engine.ask((docker) => docker.listContainers({ all: true, filters }));
  // The Engine lists the newest first, and says when they were made in whole seconds: of one second its order counts.
  return found
    .toReversed()
    .toSorted((a, b) => a.Created - b.Created)
    .map(({ Id, Names, Labels, State }) => ({
      container: new DockerContainer(engine, { id: Id, name: (Names[0] ?? Id).replace(/^\//, ""), labels: Labels }),
      state: stateOf(State),
    }));
}

/** The Engine knows created, running, paused, restarting, removing, exited and dead. */
function stateOf(state: string): FoundContainer["state"] {
  if (state === "created") return "created";
  return ["running", "paused", "restarting"].includes(state) ? "running" : "ended";
}
