/** The connection to one Docker Engine: where it listens, and its refusals put into our errors. */
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { RuntimeError } from "../../src/errors.ts";
import { Refusal } from "./refusal.ts";

const DEFAULT_ADDRESS = "unix:///var/run/docker.sock";

/** One Engine. Nothing is opened before the first request. */
export class Engine {
  readonly address: string;
  readonly #connect: (address: string) => Promise<Docker>;
  #docker: Promise<Docker> | undefined;
  #cpus: Promise<number> | undefined;

  /** @param connect how the client is made; by default as the address says. */
  constructor(address: string | undefined, connect: (address: string) => Promise<Docker> = load) {
    this.address = address ?? (process.env.DOCKER_HOST || DEFAULT_ADDRESS);
    this.#connect = connect;
  }

  /**
   * Makes one request.
   * @throws the signal's reason when it aborts, a RuntimeError of the request's own as it is, and Refusal for what the engine
   * says no to; that it does not answer at all is a RuntimeError too.
   */
  async ask<T>(request: (docker: Docker) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    // One signal ends as many requests as a job has at a time; Node would warn of the eleventh.
    if (signal !== undefined) setMaxListeners(0, signal);
    try {
      this.#docker ??= this.#connect(this.address);
      const answer = request(await this.#docker);
      return await (signal === undefined ? answer : orAborted(answer, signal));
    } catch (error) {
      signal?.throwIfAborted();
      throw this.explain(error);
    }
  }

  /** Puts whatever a request or its stream failed with into a RuntimeError. */
  explain(error: unknown): RuntimeError | Refusal {
    if (error instanceof RuntimeError || error instanceof Refusal) return error;
    const { status, text, broken } = Refusal.parse(error);
    if (status !== undefined) return new Refusal(status, text, { cause: error });
    if (broken === "connect EACCES") {
      return new RuntimeError(`the Docker Engine at ${this.address} does not let this user in (${broken})`, {
        cause: error,
      });
    }
    return new RuntimeError(`the Docker Engine at ${this.address} does not answer (${broken ?? text})`, {
      cause: error,
    });
  }

  /** How many CPUs it has; asked once, because a container may not ask for more. */
  async cpus(): Promise<number> {
    this.#cpus ??= this.ask((docker) => docker.info()).then((info: { NCPU: number }) => info.NCPU);
    try {
      return await this.#cpus;
    } catch (error) {
      this.#cpus = undefined;
      throw error;
    }
  }
}

/** Not every request of dockerode's can be aborted, and an engine that hangs must not hold up who has given up. */
async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
  });
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** dockerode takes a fifth of a second to load, hence not before it is needed. */
async function load(address: string): Promise<Docker> {
  const { default: Client } = await import("dockerode");
  const unix = /^unix:\/\/(.+)$/.exec(address)?.[1];
  // Without `host: undefined` dockerode would prefer DOCKER_HOST to what it is given.
  if (unix !== undefined) return new Client({ socketPath: unix, host: undefined });
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["tcp:", "http:", "https:"].includes(url.protocol)) {
    throw new RuntimeError(`the engine's address ${address} is neither unix:///… nor tcp://…`, { retryable: false });
  }
  const tls = url.protocol === "https:" || url.port === "2376" || process.env.DOCKER_TLS_VERIFY === "1";
  return new Client({
    host: url.hostname,
    port: url.port || (tls ? "2376" : "2375"),
    protocol: tls ? "https" : "http",
    ...(tls && process.env.DOCKER_CERT_PATH ? certificates(process.env.DOCKER_CERT_PATH) : {}),
  });
}

/** The three files that `docker` itself looks for in DOCKER_CERT_PATH. */
function certificates(folder: string): { ca: Buffer; cert: Buffer; key: Buffer } {
  const read = (name: string) => readFileSync(join(folder, name));
  return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
}

/** A response as a stream that, destroyed while nobody reads it, does not take the process down; its reader learns of it. */
export function quiet(stream: NodeJS.ReadableStream): Readable {
  if (!(stream instanceof Readable)) throw new TypeError("dockerode gave something that is no stream");
  return stream.on("error", () => undefined);
}
