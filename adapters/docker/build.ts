/** Building an image with either of the Engine's builders. */
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { RuntimeError } from "../../src/errors.ts";
import type { ImageBuild, ImageBuildResult } from "../../src/runtime.ts";
import { openSession } from "./buildkit-session.ts";
import { BuildkitText } from "./buildkit-text.ts";
import { type Engine, quiet } from "./engine.ts";
import { imageId } from "./images.ts";
import { type ProgressEvent, readEvents, statusLine } from "./json-lines.ts";
import { type BuildTrouble, buildFailure } from "./prose.ts";
import { Refusal } from "./refusal.ts";

/** CFS period in microseconds, the kernel's default; a quota is given in it. */
const CPU_PERIOD = 100_000;

/** @param builder the one that `auto` stands for, or that was asked for. */
export async function buildImage(
  engine: Engine,
  build: ImageBuild,
  builder: "buildkit" | "classic",
): Promise<ImageBuildResult> {
  const { context, signal } = build;
  let contextError: unknown;
  context.on("error", (error) => {
    contextError ??= error;
  });
  const session = builder === "buildkit" ? await openSession(engine, signal) : undefined;
  try {
    const options = {
      ...queryOf(build),
      ...(session === undefined
        ? { rm: 1, forcerm: 1 }
        : { version: 2, session: session.id, buildargs: withNamespace(build) }),
    };
    const stream = await engine.ask((docker) => post(docker, context, options, signal), signal);
    return await follow(engine, build, readEvents(stream));
  } catch (error) {
    signal.throwIfAborted();
    // The packer's own words, in place of the request that broke for want of them.
    if (contextError !== undefined) throw contextError;
    const failure = engine.explain(error);
    if (!(failure instanceof Refusal)) throw failure;
    return refused(failure);
  } finally {
    session?.close();
    context.destroy();
  }
}

/** Reads the progress to its end; a failure is an event among it, and no id at the end is one too. */
async function follow(
  engine: Engine,
  build: ImageBuild,
  events: AsyncIterable<ProgressEvent>,
): Promise<ImageBuildResult> {
  const { signal, tag } = build;
  const buildkit = new BuildkitText();
  let built: string | undefined;
  let instruction: string | undefined;
  let from: string | undefined;
  for await (const event of events) {
    signal.throwIfAborted();
    build.onProgress?.();
    if (event.error !== undefined) {
      const { code, message = event.error } = event.errorDetail ?? {};
      return settled({ said: message, code, instruction: buildkit.failed ?? instruction, from });
    }
    if (typeof event.aux === "object") built = event.aux.ID ?? built;
    const text = typeof event.aux === "string" ? buildkit.read(event.aux) : (event.stream ?? statusLine(event) ?? "");
    // The classic builder's `Step 2/5 : RUN npm ci`.
    instruction = /^Step \d+\/\d+ : (.*)/.exec(event.stream ?? "")?.[1] ?? instruction;
    from = /^FROM (?:--\S+ )?(\S+)/i.exec(instruction ?? "")?.[1] ?? from;
    if (text !== "") await build.onOutput(text);
  }
  signal.throwIfAborted();
  const id = built ?? (await imageId(engine, tag));
  if (id === undefined) throw new RuntimeError("the Docker Engine ended the build without an image");
  return { kind: "built", imageId: id };
}

/** 400 is a Dockerfile that cannot be read; 500 may be one that is not there. */
function refused(failure: Refusal): ImageBuildResult {
  const said = failure.message.replace(/^the Docker Engine refuses: /, "");
  const isDockerfile = failure.status === 400 || said.startsWith("Cannot locate specified Dockerfile");
  const result = settled({ said, code: undefined, instruction: undefined, from: undefined });
  if (!isDockerfile) throw failure;
  return result;
}

function settled(trouble: BuildTrouble): ImageBuildResult {
  const result = buildFailure(trouble);
  if (result instanceof Error) throw result;
  return result;
}

/** BuildKit takes the namespace of its cache mounts as if it were an argument; the classic builder has no such mounts. */
function withNamespace({ args, cacheNamespace }: ImageBuild): ImageBuild["args"] {
  return cacheNamespace === undefined ? args : { ...args, BUILDKIT_CACHE_MOUNT_NS: cacheNamespace };
}

/** The classic builder keeps to the limits; BuildKit has none for one build, and ignores them. */
function queryOf({ dockerfile, tag, args, target, labels, network, limits }: ImageBuild) {
  return {
    t: tag,
    dockerfile,
    buildargs: args,
    labels,
    memory: limits.memoryBytes,
    memswap: limits.memoryBytes,
    cpuperiod: CPU_PERIOD,
    cpuquota: Math.round(limits.cpus * CPU_PERIOD),
    ...(target === undefined ? {} : { target }),
    ...(network === "none" ? { networkmode: "none" } : {}),
  };
}

/** dockerode's own `buildImage` opens a session for BuildKit as well, and leaves it open when the build is aborted. */
function post(docker: Docker, file: Readable, options: object, abortSignal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const request = { path: "/build?", method: "POST", file, options: { ...options }, isStream: true, abortSignal };
    docker.modem.dial(
      { ...request, statusCodes: { 200: true, 400: "bad request", 500: "server error" } },
      (error, response) => {
        if (error !== null) reject(error);
        else if (response instanceof Readable) resolve(quiet(response));
        else reject(new TypeError("dockerode gave no stream"));
      },
    );
  });
}

/** The builder that the Engine prefers: its word in `_ping`, else BuildKit wherever its API has it (1.40, Engine 19.03). */
export async function preferredBuilder(engine: Engine, signal?: AbortSignal): Promise<"buildkit" | "classic"> {
  const headers = await engine.ask(
    (docker) =>
      new Promise<IncomingMessage["headers"]>((resolve, reject) => {
        const request = {
          path: "/_ping",
          method: "GET",
          isStream: true,
          statusCodes: { 200: true, 500: "server error" },
        };
        docker.modem.dial({ ...request, ...(signal ? { abortSignal: signal } : {}) }, (error, response) => {
          if (error !== null) return reject(error);
          if (response === null || !("headers" in response)) return reject(new TypeError("dockerode gave no response"));
          response.resume();
          resolve(response.headers);
        });
      }),
    signal,
  );
  const [major = 0, minor = 0] = String(headers["api-version"] ?? "")
    .split(".")
    .map(Number);
  const hasBuildkit = major > 1 || minor >= 40;
  return hasBuildkit && headers["builder-version"] !== "1" ? "buildkit" : "classic";
}
