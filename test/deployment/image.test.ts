/** The image docker-ci/docker-ci (O-01, O-04, O-05), made from the base that needs no registry, and run as the README runs it. */
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { VERSION } from "../../src/package.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { buildImage, IMAGE_BUILDING_MS } from "../support/image.ts";
import { freePort } from "../support/loopback.ts";
import { waitFor } from "../support/wait-for.ts";

const run = promisify(execFile);
const MIB = 1024 ** 2;
const STARTING_MS = 60_000;

const id = randomBytes(4).toString("hex");
const label = `docker-ci.test=${id}`;

const docker = async (...args: string[]): Promise<string> =>
  (await run("docker", args, { maxBuffer: 64 * MIB })).stdout;

const Image = z.object({
  Size: z.number(),
  Config: z.object({
    // Newer docker commands leave out what is empty.
    User: z.string().default(""),
    Labels: z.record(z.string(), z.string()),
    Env: z.array(z.string()),
    Volumes: z.record(z.string(), z.unknown()).default({}),
  }),
});
const inspect = async (name: string) =>
  Image.parse(JSON.parse(await docker("image", "inspect", "-f", "{{json .}}", name)));

let image = "";
beforeAll(async () => {
  image = await buildImage();
}, IMAGE_BUILDING_MS);

/** A folder with the same path inside and outside, that belongs to the image's user. */
async function dataFolder(): Promise<AsyncDisposable & { readonly path: string; readonly flags: readonly string[] }> {
  const path = await mkdtemp(join(tmpdir(), "docker-ci-image-"));
  await chown(path, 1000, 1000);
  const socket = await stat("/var/run/docker.sock");
  return {
    path,
    flags: [
      ...["--label", label, "--read-only", "--tmpfs", "/tmp", "--group-add", `${socket.gid}`, "--cap-drop", "ALL"],
      ...["--security-opt", "no-new-privileges", "-v", "/var/run:/var/socket", "-v", `${path}:${path}`],
      ...["-e", `DOCKER_CI_DATA=${path}`, "-w", path],
    ],
    async [Symbol.asyncDispose]() {
      const left = (await docker("ps", "-aq", "--filter", `label=${label}`)).split("\n").filter(Boolean);
      if (left.length > 0) await docker("rm", "-fv", ...left);
      await rm(path, { recursive: true, force: true });
    },
  };
}

describe("the image", () => {
  it("is small, belongs to nobody special and says what it is (O-09)", async () => {
    const [made, base] = await Promise.all([inspect(image), inspect(BASE_IMAGE)]);
    expect(made.Size - base.Size).toBeLessThan(250 * MIB);
    expect(made.Config.User).toBe("1000:1000");
    expect(made.Config.Labels).toMatchObject({
      "org.opencontainers.image.title": "docker-ci",
      "org.opencontainers.image.version": VERSION,
    });
    expect(Object.keys(made.Config.Volumes)).toEqual(["/data"]);
    const folders = await docker("run", "--rm", "--entrypoint", "ls", image, "/docker-ci", "/docker-ci/node_modules");
    expect(folders.split("\n")).toContain("bullmq");
    for (const absent of ["vitest", "typescript", "test", "src", ".git"]) {
      expect(folders.split("\n")).not.toContain(absent);
    }
  });

  it("has docker-ci and dcr as commands", async () => {
    expect(await docker("run", "--rm", image, "--version")).toBe(`docker-ci ${VERSION}\n`);
    expect(await docker("run", "--rm", "--entrypoint", "dcr", image, "--help")).toMatch(/dcr <application>|dcr /);
  });

  it(
    "builds on the engine outside, with a root file system that nobody can write to and without capabilities",
    async () => {
      await using data = await dataFolder();
      const child = spawn("docker", ["run", "--rm", "-i", ...data.flags, image, "start"], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      child.stdin.end("!build hello\n");
      const said = await text(child.stdout);
      const status = child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)));
      expect(said).toMatch(/✔ hello #1 passed in .* · 6 tests/);
      expect(status).toBe(0);
    },
    STARTING_MS,
  );

  it(
    "is healthy when its page answers, and stops with status 0 when it is told to",
    async () => {
      await using data = await dataFolder();
      const port = await freePort();
      const container = (
        await docker("run", "-d", ...data.flags, "-p", `127.0.0.1:${port}:8000`, "--health-interval", "1s", image)
      ).trim();
      const health = async () => (await docker("inspect", "-f", "{{.State.Health.Status}}", container)).trim();
      await waitFor("health", async () => (await health()) === "healthy", { timeoutMs: 30_000 });
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
      expect(await answer.json()).toMatchObject({ status: "ok", version: VERSION });
      await docker("stop", "--time", "20", container);
      expect((await docker("inspect", "-f", "{{.State.ExitCode}}", container)).trim()).toBe("0");
    },
    STARTING_MS,
  );
});

describe("docker-ci health", () => {
  it("says in a sentence that nobody answers, with status 1", async () => {
    const failed = await run("docker", ["run", "--rm", image, "health"]).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/http:\/\/127\.0\.0\.1:8000\/healthz does not answer/),
    });
  });
});
