/** Real git repositories and servers on loopback. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { answers, freePort, portOf } from "./loopback.ts";
import { waitFor } from "./wait-for.ts";

const run = promisify(execFile);

export interface GitRepository extends AsyncDisposable {
  /** The folder that the repository's folder, `repo`, lies in. */
  readonly root: string;
  readonly path: string;
  git(...args: string[]): Promise<string>;
  /** Writes these files, commits them and gives the commit's name. */
  commit(title: string, files: Readonly<Record<string, string>>): Promise<string>;
}

/** An empty repository with the branch `main`, that servers may serve. */
export async function openGitRepository(): Promise<GitRepository> {
  const root = await mkdtemp(join(tmpdir(), "docker-ci-git-"));
  const path = join(root, "repo");
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" };
  const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always"];
  const git = async (...args: string[]) =>
    (await run("git", [...identity, "-C", path, ...args], { env })).stdout.trim();
  await run("git", ["init", "-q", "-b", "main", path], { env });
  return {
    root,
    path,
    git,
    async commit(title, files) {
      for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
      await git("add", "-A");
      await git("commit", "-q", "--allow-empty", "-m", title);
      return await git("rev-parse", "HEAD");
    },
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true });
    },
  };
}

export interface GitServer extends AsyncDisposable {
  /** The address of `repo` there. */
  readonly address: string;
  readonly port: number;
}

/** `git daemon`, which speaks git://. */
export async function serveByDaemon(root: string): Promise<GitServer> {
  const port = await freePort();
  const options = ["--reuseaddr", "--export-all", "--listen=127.0.0.1", `--port=${port}`, `--base-path=${root}`, root];
  const daemon = spawn("git", ["daemon", ...options], { stdio: "ignore", detached: true });
  await waitFor("git daemon to answer", () => answers(port));
  return { address: `git://127.0.0.1:${port}/repo`, port, [Symbol.asyncDispose]: async () => await endGroup(daemon) };
}

/** `git http-backend` behind a small web server; with `login`, only for whoever gives it. */
export async function serveByHttp(root: string, login?: { user: string; password: string }): Promise<GitServer> {
  const wanted = login && `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}`;
  const server = createServer((request, response) => {
    if (wanted === undefined || request.headers.authorization === wanted) return backend(root, request, response);
    response.writeHead(401, { "www-authenticate": "Basic realm=git" }).end();
  });
  return await listening(server, "http");
}

/** Takes connections, and never says a word. */
export async function serveSilence(): Promise<GitServer> {
  return await listening(
    createServer(() => undefined),
    "http",
  );
}

/** Passes a request to `git http-backend` as CGI has it (RFC 3875). */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const cgi = spawn("git", ["http-backend"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
  });
  request.pipe(cgi.stdin);
  const chunks: Buffer[] = [];
  cgi.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  cgi.on("close", () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf("\r\n\r\n");
    const headers = answer.subarray(0, end).toString().split("\r\n");
    const pairs = headers.map((header) => header.split(/: (.*)/, 2)).map(([name = "", value = ""]) => [name, value]);
    const { Status: status = "200", ...others } = Object.fromEntries(pairs);
    response.writeHead(Number.parseInt(status, 10), others).end(answer.subarray(end + 4));
  });
}

async function listening(server: Server, scheme: string): Promise<GitServer> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  return {
    address: `${scheme}://127.0.0.1:${port}/repo`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** git starts helpers of its own, which go with its process group. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid);
  await ended;
}
