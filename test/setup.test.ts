/** setup.sh on a machine that has been set up, and on one where it may not be. The bare machine takes minutes: by hand. */
import { spawn } from "node:child_process";
import { access, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
/** An account without any rights; its number is the same on every Linux. */
const NOBODY = 65_534;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
}

interface Given {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly asNobody?: boolean;
}

async function run(command: string, { env = process.env, stdin = "", asNobody = false }: Given = {}): Promise<Ended> {
  const startedAt = performance.now();
  // Only root can become somebody else; anybody else lacks the rights already.
  const identity = asNobody && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn("/bin/bash", ["-c", command], { cwd: ROOT, env, ...identity });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  // setup.sh lets go of its standard input, and then there may be nobody left to take what is written here.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, stdout, stderr, tookMs: performance.now() - startedAt };
}

describe("on a machine that is set up", () => {
  // `npm test` has run it; a source that was saved since would make it compile again.
  beforeAll(async () => {
    expect(await run("./setup.sh --with-tests")).toMatchObject({ status: 0 });
  });

  test("is done in under two seconds, and says nothing", async () => {
    const { tookMs, ...ended } = await run("./setup.sh --with-tests");
    expect(ended).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(tookMs).toBeLessThan(2000);
  });

  test("leaves the commands on its standard input to docker-ci", async () => {
    const ended = await run("./setup.sh && cat", { stdin: "!build hello\n" });
    expect(ended).toMatchObject({ status: 0, stdout: "!build hello\n" });
  });

  test("two at once do not disturb each other", async () => {
    const both = await Promise.all([run("./setup.sh"), run("./setup.sh")]);
    expect(both.map((ended) => ended.status)).toEqual([0, 0]);
  });

  test("the base image has Node, npm, git and ssh", async () => {
    const script = "node --version; npm --version; git --version; command -v ssh";
    const ended = await run(`node setup/engine.mjs run docker-ci/base:latest '${script}'`);
    expect(ended.status, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(/^v(2\d|[3-9]\d)\..*\r?\n\d+\..*\r?\ngit version .*\r?\n\/usr\/bin\/ssh/);
  });
});

describe("without root and without sudo", () => {
  /** What setup.sh itself needs, and none of what it installs. */
  const TOOLS =
    "bash awk cat chmod cmp cut date dirname find flock grep id mktemp node npm rm sed sleep stat tail uname wc";
  let bin: string;

  beforeAll(async () => {
    bin = await mkdtemp(join(tmpdir(), "docker-ci-path-"));
    for (const tool of [...TOOLS.split(" "), "env", "apt-get"]) {
      const found = await which(tool);
      if (found !== undefined) await symlink(found, join(bin, tool));
    }
    await run(`chmod 755 ${bin}`);
  });

  afterAll(async () => {
    await rm(bin, { recursive: true, force: true });
  });

  test("lists what is missing with how to get it, and ends with status 1", async () => {
    const ended = await run("./setup.sh", { env: { PATH: bin }, asNobody: true });
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/^ {2}git +\S.*git/m);
    expect(ended.stderr).toMatch(/^ {2}redis-server +\S.*redis/m);
    expect(ended.stderr).not.toContain("ngircd");
    expect(ended.stdout).toBe("");
  });

  test("names the address at which no engine answers, and installs none in its place", async () => {
    const env = { PATH: bin, DOCKER_HOST: `unix://${bin}/nothing.sock` };
    const ended = await run("./setup.sh", { env, asNobody: true });
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain(`DOCKER_HOST=unix://${bin}/nothing.sock`);
  });

  test("says so when there is no Node", async () => {
    await rm(join(bin, "node"));
    const ended = await run("./setup.sh", { env: { PATH: bin }, asNobody: true });
    expect(ended).toMatchObject({ status: 1, stderr: expect.stringContaining("docker-ci needs Node 20 or newer") });
  });
});

test("an argument it does not know gets the usage line", async () => {
  expect(await run("./setup.sh --help")).toMatchObject({ status: 2, stderr: "usage: ./setup.sh [--with-tests]\n" });
});

async function which(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const candidate = join(folder, name);
    try {
      await access(candidate);
      return candidate;
    } catch {
      // Not in this folder; the next one may have it.
    }
  }
  return undefined;
}
