/** `docker-ci check <file>` and `docker-ci schema`: what they print, and the status that a script sees. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkFile } from "../../src/command-line/check-file.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { pipelineJsonSchema } from "../../src/pipeline/json-schema.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "docker-ci-check-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What is printed for a file with this text, without the folder it is in. */
async function checked(name: string, text?: string): Promise<{ readonly printed: string; readonly status: number }> {
  const file = join(folder, name);
  if (text !== undefined) await writeFile(file, text);
  let printed = "";
  const status = await checkFile(file, (part) => {
    printed += part;
  });
  return { printed: printed.replaceAll(`${folder}/`, ""), status };
}

describe("a pipeline that can be used", () => {
  test("is its plan: what runs when, beside what, in which lanes, and what is left out unless", async () => {
    const { printed, status } = await checked(
      ".docker-ci.yml",
      `
steps:
  - { name: image, build: { context: app, dockerfile: Dockerfile.ci } }
  - { name: lint, image: "node:$NODE", run: npm run lint, needs: [] }
  - { name: tests, services: { db: "postgres:16" }, needs: lint }
  - { name: package, build: packaging, when: { event: tag } }
  - { name: publish, when: { branch: [main, release/*] } }
matrix: { NODE: [20, 22], DB: [a, b, c, d, e] }
`,
    );
    expect(printed).toBe(
      [
        "✔ .docker-ci.yml: 5 steps in 10 lanes, side by side where they may",
        "",
        "  step     does                         begins             when",
        "  image    builds app/Dockerfile.ci     at once",
        "  lint     runs in node:$NODE           at once",
        "  tests    runs in image with db        after lint, image",
        "  package  builds packaging/Dockerfile  after all above    only for tag",
        "  publish  runs in package              after all above    only on branches main, release/*, only with step package",
        "",
        "  lanes: NODE=20 DB=a · NODE=20 DB=b · NODE=20 DB=c · NODE=20 DB=d · NODE=20 DB=e · NODE=22 DB=a · NODE=22 DB=b · NODE=22 DB=c · and 2 more",
        "",
      ].join("\n"),
    );
    expect(status).toBe(0);
  });

  test("is found in its folder; without one it is the Dockerfile's own command", async () => {
    await writeFile(join(folder, "Dockerfile"), "FROM scratch");
    const { printed, status } = await checked("");
    expect(printed.split("\n")).toEqual([
      "✔ Dockerfile, as there is no .docker-ci.yml: 2 steps, one after the other",
      "",
      "  step   does               begins           when",
      "  image  builds Dockerfile  at once",
      "  tests  runs in image      after all above",
      "",
    ]);
    expect(status).toBe(0);
    await writeFile(join(folder, ".docker-ci.yml"), "steps: [{name: only, image: x}]");
    expect((await checked("")).printed).toMatch(/^✔ \.docker-ci\.yml: 1 step, one after the other\n/);
  });
});

describe("what cannot be used is refused with status 1", () => {
  test("all mistakes at once, with their lines", async () => {
    const { printed, status } = await checked(
      "ci.yml",
      "steps:\n  - {name: a, image: b, needs: [c]}\nmatrix: {A: []}\n",
    );
    expect(printed).toBe(
      [
        "✘ ci.yml cannot be used:",
        '  ci.yml:2: steps[0].needs[0]: found "c", which is no step',
        "  ci.yml:3: matrix.A: found an empty list, allowed: a list of at least one value",
        "",
      ].join("\n"),
    );
    expect(status).toBe(1);
  });

  test.each<[string, string, string | undefined, string]>([
    ["no file", "nowhere.yml", undefined, "✘ nowhere.yml: there is no such file or folder\n"],
    ["an empty file", "a.yml", "", "✘ a.yml cannot be used:\n  a.yml: steps: missing, needed: a list of steps\n"],
    [
      "a key that would draw on the terminal",
      "a.yml",
      'steps: [{name: a, image: b}]\n"x\\e[31m\\ry": 1',
      "✘ a.yml cannot be used:\n  a.yml:2: x y: unknown key, allowed: steps, matrix, labels\n",
    ],
  ])("%s", async (_what, name, text, expected) => {
    expect(await checked(name, text)).toEqual({ printed: expected, status: 1 });
  });

  test("an empty folder", async () => {
    const { printed, status } = await checked("");
    expect(printed).toContain("the repository has neither .docker-ci.yml nor a Dockerfile at its top\n");
    expect(status).toBe(1);
  });

  test("a file of gigabytes, without reading it", async () => {
    await writeFile(join(folder, "big.yml"), "");
    await truncate(join(folder, "big.yml"), 5 * 1024 ** 3);
    const before = process.cpuUsage();
    expect((await checked("big.yml")).printed).toContain("big.yml: larger than allowed (256 KiB)");
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(2000);
  });

  test("the bot's own configuration, with where that is checked", async () => {
    const { printed } = await checked("docker-ci.yml", "projects: {}");
    expect(printed).toContain("docker-ci.yml:1: projects: unknown key");
    expect(printed).toMatch(
      /\nIf this is the configuration of docker-ci itself: docker-ci check, without a file, checks that\.\n$/,
    );
  });
});

test("as a process: check with a file, schema, and what is not understood", { timeout: 60_000 }, async () => {
  await writeFile(join(folder, "good.yml"), "steps: [{name: a, image: b}]");
  await writeFile(join(folder, "bad.yml"), "steps: []");
  const [good, bad, schema, wrong] = await Promise.all([
    dockerCi("check", join(folder, "good.yml")),
    dockerCi("check", join(folder, "bad.yml")),
    dockerCi("schema"),
    dockerCi("schema", "more"),
  ]);
  expect([good?.status, good?.stdout]).toEqual([0, expect.stringContaining("1 step")]);
  expect([bad?.status, bad?.stdout]).toEqual([1, expect.stringContaining("bad.yml:1: steps: found an empty list")]);
  expect([schema?.status, schema?.stdout]).toEqual([0, pipelineJsonSchema()]);
  expect(wrong?.status).toBe(64);
});

function dockerCi(...args: readonly string[]): Promise<{ readonly status: number; readonly stdout: string }> {
  const main = join(PACKAGE_FOLDER, "src", "main.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, ["--import", "tsx", main, ...args], { cwd: PACKAGE_FOLDER }, (error, stdout) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout });
    });
  });
}
