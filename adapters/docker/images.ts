/** Images of the Engine: named, listed, pulled, removed. */
import { RuntimeError } from "../../src/errors.ts";
import { type Engine, quiet } from "./engine.ts";
import { readEvents, statusLine } from "./json-lines.ts";
import { labelFilter } from "./labels.ts";
import { pullFailure } from "./prose.ts";
import { Refusal, unless } from "./refusal.ts";

export async function imageId(engine: Engine, reference: string): Promise<string | undefined> {
  const image = await unless(
    engine.ask((docker) => docker.getImage(reference).inspect()),
    [404],
    undefined,
  );
  return image?.Id;
}

/** `@throws` RuntimeError `image golang:1.22 cannot be pulled (no such host)`. */
export async function pullImage(
  engine: Engine,
  reference: string,
  signal: AbortSignal,
  onProgress: (text: string) => void = () => undefined,
): Promise<void> {
  try {
    // Without a tag the Engine would pull every tag there is.
    const stream = quiet(await engine.ask((docker) => docker.pull(tagged(reference), { abortSignal: signal }), signal));
    for await (const event of readEvents(stream)) {
      if (event.error !== undefined) throw pullFailure(reference, event.errorDetail?.message ?? event.error);
      const line = statusLine(event);
      if (line !== undefined) onProgress(line);
    }
  } catch (error) {
    signal.throwIfAborted();
    const failure = engine.explain(error);
    throw failure instanceof Refusal ? pullFailure(reference, failure.message, failure) : failure;
  }
}

/** A reference with a tag or a digest has one behind its last slash. */
function tagged(reference: string): string {
  return /[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`;
}

export async function tagImage(engine: Engine, reference: string, tag: string): Promise<void> {
  const [, repo = tag, name = "latest"] = /^(.+):([^/:]+)$/.exec(tag) ?? [];
  const tagging = engine.ask((docker) =>
    docker
      .getImage(reference)
      .tag({ repo, tag: name })
      .then(() => true),
  );
  if (!(await unless(tagging, [404], false)))
    throw new RuntimeError(`there is no image ${reference}`, { retryable: false });
}

/** Newest first. An image that lost its tags to a newer one is listed by its id. */
export async function listImages(
  engine: Engine,
  labels: Readonly<Record<string, string>>,
): Promise<readonly { reference: string; createdAt: Date; labels: Readonly<Record<string, string>> }[]> {
  const images = await engine.ask((docker) => docker.listImages({ filters: { label: labelFilter(labels) } }));
  return images
    .toSorted((a, b) => b.Created - a.Created)
    .flatMap(({ Id, RepoTags, Created, Labels }) => {
      const tags = (RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
      return (tags.length > 0 ? tags : [Id]).map((reference) => ({
        reference,
        createdAt: new Date(Created * 1000),
        labels: Labels ?? {},
      }));
    });
}

/** 404: it is gone. 409: a container uses it, or it has other tags and was named by its id. */
export async function removeImage(engine: Engine, reference: string): Promise<void> {
  await unless(
    engine.ask((docker) => docker.getImage(reference).remove()),
    [404, 409],
    undefined,
  );
}
