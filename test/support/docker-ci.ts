/** docker-ci as its operator runs it: a process of its own in a folder of its own, on the real engine. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { freePort } from "./irc-server.ts";
import { waitFor } from "./wait-for.ts";

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DockerCiProcess {
  readonly pid: number;
  /** Standard output so far. */
  stdout(): string;
  stderr(): string;
  write(text: string): void;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<Ended>;
  /** kill -9; its redis-server and its containers live on, as they would after a real one. */
  kill(): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  readonly port: number;
  /** Runs `docker-ci <args>` there. `input`: undefined for none (/dev/null), "" for a pipe that the test writes to. */
  run(args: readonly string[], input?: string, env?: Readonly<Record<string, string>>): DockerCiProcess;
  /** `docker-ci start` as a service; resolves when its page answers. */
  start(): Promise<DockerCiProcess>;
  /** A JSON file of the data folder's identity. */
  instance(): Promise<string>;
}

export interface SitePlace {
  /** Where its page listens. */
  readonly host?: string;
  /** What stands before every command: `ip netns exec big-1`. */
  readonly launcher?: readonly string[];
}

/** @param config text of docker-ci.yml, or undefined for none; `listen:` is added. */
export async function openSite(
  config: string | undefined,
  { host = "127.0.0.1", launcher = [] }: SitePlace = {},
): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), "docker-ci-site-"));
  const port = await freePort();
  const url = `http://${host === "127.0.0.1" ? "localhost" : host}:${port}`;
  await mkdir(join(folder, "data"), { recursive: true });
  if (config !== undefined) await writeFile(join(folder, "docker-ci.yml"), `listen: "${host}:${port}"\n${config}\n`);
  const processes: DockerCiProcess[] = [];

  const run: Site["run"] = (args, input, env = {}) => {
    const line = [...launcher, process.execPath, join(PACKAGE_FOLDER, "dist/src/main.js"), ...args];
    const child = spawn(line[0] ?? "", line.slice(1), {
      cwd: folder,
      env: { ...process.env, PORT: String(port), ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const started = follow(child);
    if (input !== undefined && input !== "") child.stdin?.end(input);
    processes.push(started);
    return started;
  };

  const instance = async (): Promise<string> => (await readFile(join(folder, "data", "instance"), "utf8")).trim();

  return {
    folder,
    url,
    port,
    run,
    async start() {
      const started = run(["start"]);
      await waitFor("the page to answer", async () => (await fetch(`${url}/healthz`)).ok, {
        seen: () => started.stdout() + started.stderr(),
      });
      return started;
    },
    instance,
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((started) => started.stop()));
      await stopOrphanedRedis(join(folder, "data", "redis"));
      await cleanEngine(await instance().catch(() => undefined));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function follow(child: ChildProcess): DockerCiProcess {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text: Buffer) => {
    stdout += text.toString();
  });
  child.stderr?.on("data", (text: Buffer) => {
    stderr += text.toString();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    write: (text) => void child.stdin?.write(text),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      const result = await ended;
      clearTimeout(timer);
      return result;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    ended,
  };
}

/** The redis-server that a killed docker-ci left; the next start would take it over, but there is none. */
async function stopOrphanedRedis(folder: string): Promise<void> {
  const { Redis } = await import("ioredis");
  const client = new Redis({ path: join(folder, "redis.sock"), lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.shutdown("NOSAVE");
  } catch {
    // None is running, or it has closed the connection, which is its answer.
  } finally {
    client.disconnect();
  }
}

/** Removes what this instance made on the engine, also what docker-ci keeps on purpose: images and the git cache. */
export async function cleanEngine(instance: string | undefined): Promise<void> {
  if (instance === undefined) return;
  const docker = new Docker();
  const label = [`docker-ci.instance=${instance}`];
  for (const { Id } of await docker.listContainers({ all: true, filters: { label } })) {
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const { Id } of await docker.listContainers({
    all: true,
    filters: { label: [`docker-ci.testbuilder=${instance}`] },
  })) {
    await docker.getContainer(Id).remove({ force: true, v: true });
  }
  for (const { Id } of await docker.listNetworks({ filters: { label } })) await docker.getNetwork(Id).remove();
  for (const labels of [label, [`docker-ci.kept-by=${instance}`]]) {
    for (const { RepoTags } of await docker.listImages({ filters: { label: labels } })) {
      for (const tag of RepoTags ?? []) await docker.getImage(tag).remove({ force: true });
    }
  }
  await docker
    .getVolume(`docker-ci-${instance}-git`)
    .remove({ force: true })
    .catch(() => undefined /* nothing was ever fetched */);
}
