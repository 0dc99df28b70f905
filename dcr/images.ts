/** Images on a host: pulled with a login, seen to be the same everywhere. */
import { quiet } from "../adapters/docker/engine.ts";
import { imageId } from "../adapters/docker/images.ts";
import { type ProgressEvent, readEvents } from "../adapters/docker/json-lines.ts";
import { pullFailure } from "../adapters/docker/prose.ts";
import { Refusal, unless } from "../adapters/docker/refusal.ts";
import { RuntimeError } from "../src/errors.ts";
import type { Daemon } from "./daemon.ts";
import type { RegistryLogin } from "./registry-login.ts";

/** @throws RuntimeError with the registry's reason. @returns the registry's digest, or the image's id where it has none. */
export async function pullImage(
  { engine }: Daemon,
  image: string,
  login: RegistryLogin | undefined,
  onEvent: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<string> {
  // Without a tag the Engine would pull every tag there is.
  const reference = /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
  const options = { ...(login === undefined ? {} : { authconfig: authOf(login) }), abortSignal: signal };
  try {
    const stream = quiet(await engine.ask((docker) => docker.pull(reference, options), signal));
    for await (const event of readEvents(stream)) {
      if (event.error !== undefined) throw pullFailure(image, event.errorDetail?.message ?? event.error);
      onEvent(event);
    }
  } catch (error) {
    signal.throwIfAborted();
    const failure = engine.explain(error);
    throw failure instanceof Refusal ? pullFailure(image, failure.message, failure) : failure;
  }
  const { Id, RepoDigests } = await engine.ask((docker) => docker.getImage(reference).inspect());
  return RepoDigests?.find((digest) => digest.startsWith(`${withoutTag(reference)}@`))?.replace(/^.*@/, "") ?? Id;
}

/** Pulls what is not there. @throws RuntimeError when it is neither there nor to be had. */
export async function needImage(
  daemon: Daemon,
  image: string,
  login: () => RegistryLogin | undefined,
  onEvent: (event: ProgressEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  if ((await imageId(daemon.engine, image)) !== undefined) return;
  await pullImage(daemon, image, login(), onEvent, signal).catch((error: unknown) => {
    const reason = error instanceof RuntimeError ? error.message : String(error);
    throw new RuntimeError(`there is no image ${image} on this host, and ${reason}`, { cause: error });
  });
}

/** Whether the registry takes the login (O-146). @throws RuntimeError with its reason. */
export async function logIn({ engine }: Daemon, login: RegistryLogin): Promise<string> {
  const answer: unknown = await engine.ask((docker) => docker.checkAuth(authOf(login)));
  const status = typeof answer === "object" && answer !== null && "Status" in answer ? answer.Status : "logged in";
  return String(status);
}

/** The image's digest at its registry where it has one, for a look at what runs. */
export async function digestOf({ engine }: Daemon, id: string): Promise<string> {
  const image = await unless(
    engine.ask((docker) => docker.getImage(id).inspect()),
    [404],
    undefined,
  );
  return image?.RepoDigests?.[0]?.replace(/^.*@/, "") ?? id;
}

function authOf({ username, password, email, serveraddress }: RegistryLogin) {
  return { username, password: password.reveal(), email, serveraddress };
}

function withoutTag(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
}
