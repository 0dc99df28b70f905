/** Starting a container so that nothing it prints is lost, and nothing stays behind when it cannot be started. */
import type { ContainerCreateOptions } from "dockerode";
import { RuntimeError } from "../../src/errors.ts";
import type { ContainerSpec, RunningContainer } from "../../src/runtime.ts";
import { DockerContainer } from "./container.ts";
import { createOptions } from "./container-options.ts";
import { type Engine, quiet } from "./engine.ts";
import { type Prepared, prepareFolders } from "./folders.ts";
import { Refusal } from "./refusal.ts";
import { withheldCapabilities } from "./withheld.ts";

/**
 * Creates, attaches, starts. Each takes a few milliseconds and is not interrupted, so that it is always known whether there
 * is something to remove.
 */
export async function startContainer(
  engine: Engine,
  spec: ContainerSpec,
  signal: AbortSignal,
): Promise<RunningContainer> {
  const [cpus, prepared] = await Promise.all([engine.cpus(), prepareFolders(engine, spec)]);
  try {
    return await startWith(engine, prepared, createOptions(prepared.spec, cpus), signal);
  } catch (error) {
    if (!spec.privileged || !isWithheld(error)) throw error;
    return await startWith(engine, prepared, createOptions(prepared.spec, cpus, await withheldCapabilities()), signal);
  }
}

async function startWith(
  engine: Engine,
  { spec, archive }: Prepared,
  options: ContainerCreateOptions,
  signal: AbortSignal,
): Promise<RunningContainer> {
  signal.throwIfAborted();
  const { id } = await engine
    .ask((docker) => docker.createContainer(options))
    .catch((error: unknown) => {
      throw whyNotCreated(error, spec);
    });
  const known = { id, name: spec.name, labels: spec.labels };
  try {
    const [attached] = await Promise.all([
      engine.ask((docker) => docker.getContainer(id).attach({ stream: true, stdout: true, stderr: true })),
      archive && engine.ask((docker) => docker.getContainer(id).putArchive(archive, { path: "/" })),
    ]);
    const container = new DockerContainer(engine, known, quiet(attached));
    signal.throwIfAborted();
    await engine.ask((docker) => docker.getContainer(id).start());
    signal.throwIfAborted();
    return container;
  } catch (error) {
    await new DockerContainer(engine, known).remove();
    throw error;
  }
}

/** `OCI runtime create failed: … unable to apply caps: operation not permitted: unknown` */
function isWithheld(error: unknown): boolean {
  return error instanceof Refusal && error.message.includes("unable to apply caps");
}

/** The refusals that have a reason worth telling in our own words. */
function whyNotCreated(error: unknown, { image, name }: ContainerSpec): unknown {
  if (!(error instanceof Refusal)) return error;
  // `No such image: x:latest`
  if (error.status === 404) return new RuntimeError(`there is no image ${image}`, { cause: error, retryable: false });
  // `Conflict. The container name "/x" is already in use by container "…"`
  if (error.status === 409) return new RuntimeError(`there is a container ${name} already`, { cause: error });
  return error;
}
