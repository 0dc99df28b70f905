/** What a container has become, as an image. */
import type { Snapshot } from "../../src/runtime.ts";
import type { Engine } from "./engine.ts";

/** @throws RuntimeError when there is no such container, or the engine has no room. */
export async function snapshot(
  engine: Engine,
  containerId: string,
  made: Snapshot,
  signal: AbortSignal,
): Promise<void> {
  const [, repo = made.tag, tag = "latest"] = /^(.+):([^/:]+)$/.exec(made.tag) ?? [];
  const query = { container: containerId, repo, tag, changes: changesOf(made) };
  // Without a body of its own the client would send the query as the container's configuration.
  await engine.ask(
    (docker) => docker.getContainer(containerId).commit({ _query: query, _body: {}, abortSignal: signal }),
    signal,
  );
}

/** As lines of a Dockerfile, in which `$` and `"` would mean something. */
function changesOf({ entrypoint, env, labels }: Snapshot): string {
  const set = (word: string, values: Readonly<Record<string, string>>): string[] =>
    Object.entries(values).map(([name, value]) => `${word} ${name}="${value.replace(/[\\"$]/g, "\\$&")}"`);
  return [`ENTRYPOINT ${JSON.stringify(entrypoint)}`, "CMD []", ...set("ENV", env), ...set("LABEL", labels)].join("\n");
}
