/** The examples do what the README promises of them; those made of Debian packages are built in the tests of builds. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseConfig } from "../src/config.ts";
import { ProjectName } from "../src/names.ts";
import { planBuild } from "../src/pipeline/plan.ts";
import { parsePipeline } from "../src/pipeline/schema.ts";

const EXAMPLES = join(import.meta.dirname, "..", "examples");

describe("hello", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "docker-ci-hello-"));
    await cp(join(EXAMPLES, "hello", "project"), folder, { recursive: true });
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test("passes its six tests, with a report of each and its coverage", async () => {
    expect(await npmTest(folder)).toBe(0);
    const report = await readFile(join(folder, "reports/junit.xml"), "utf8");
    expect(report.match(/<testcase /g)).toHaveLength(6);
    expect(report).not.toContain("<failure");
    expect(await readFile(join(folder, "coverage/lcov.info"), "utf8")).toContain("SF:duration.js");
  });

  test("has one failing test on the branch broken", async () => {
    await cp(join(EXAMPLES, "hello", "broken"), folder, { recursive: true });
    expect(await npmTest(folder)).toBe(1);
    const report = await readFile(join(folder, "reports/junit.xml"), "utf8");
    expect(report.match(/<failure /g)).toHaveLength(1);
    expect(report).toContain("a third unit is left out");
  });
});

test("docker-registry builds its binary beside its tests, also for a release (O-22, O-58)", async () => {
  const file = join(EXAMPLES, "docker-registry", "project", ".docker-ci.yml");
  const pipeline = parsePipeline(await readFile(file, "utf8"));
  for (const event of ["chat", "release"] as const) {
    const plan = planBuild(pipeline, { event, branch: "main", onlySteps: undefined });
    expect(plan.isParallel).toBe(true);
    expect(plan.steps).toMatchObject([
      { id: "image", needs: [], leftOut: undefined },
      { id: "tests", needs: ["image"], leftOut: undefined, step: { tests: ["tests.xml"], coverage: "coverage.out" } },
      { id: "binary", needs: ["image"], leftOut: undefined, step: { artifacts: ["dist/registry"] } },
    ]);
  }
});

test("docker builds its image, and runs its tests in it with their coverage (O-20, O-56)", async () => {
  const text = await readFile(join(EXAMPLES, "docker", "project", ".docker-ci.yml"), "utf8");
  const { steps } = planBuild(parsePipeline(text), { event: "push", branch: "main", onlySteps: undefined });
  expect(steps).toMatchObject([
    { id: "image", step: { kind: "build" } },
    { id: "tests", needs: ["image"], step: { image: { step: "image" }, coverage: "coverage.out" } },
  ]);
});

test("the configuration with every key is a valid one", async () => {
  const text = await readFile(join(EXAMPLES, "docker-ci.yml"), "utf8");
  const names = [...text.matchAll(/\$([A-Z][A-Z0-9_]*)/g)].map((match) => match[1] ?? "");
  const env = { ...Object.fromEntries(names.map((name) => [name, "given-for-a-test"])), EMAIL_RCP: "team@example.org" };
  const config = parseConfig(text, { file: join(EXAMPLES, "docker-ci.yml"), env, cwd: EXAMPLES });
  expect([...config.projects.keys()]).toEqual(["distribution", "hello", "docker-registry", "docker"]);
  expect(config.projects.get(ProjectName.parse("docker"))?.privileged).toBe(true);
  // O-161: what ran every four hours
  expect(config.schedules).toMatchObject([{ at: "15 */4 * * *", projects: ["docker", "docker-registry"] }]);
});

describe("functional checks", () => {
  const FOLDER = join(EXAMPLES, "functional-check");

  test("a site is asked by a program and looked at by a browser, whose picture is kept whatever the other says (O-120)", async () => {
    const pipeline = parsePipeline(await readFile(join(FOLDER, "project", ".docker-ci.yml"), "utf8"));
    expect(planBuild(pipeline, { event: "nightly", branch: "main", onlySteps: undefined }).steps).toMatchObject([
      { id: "http", needs: [] },
      { id: "browser", needs: [], step: { kind: "build" } },
      { id: "screen", needs: ["browser"], step: { artifacts: ["screen.png"] } },
    ]);
  });

  test("three suites against a registry run every four hours, each only if those before it passed (O-121, O-122)", async () => {
    const env = { AWS_ACCESS_KEY: "given-for-a-test", AWS_SECRET_KEY: "given-for-a-test" };
    const file = join(FOLDER, "docker-ci.yml");
    const config = parseConfig(await readFile(file, "utf8"), { file, env, cwd: FOLDER });
    expect(config.schedules).toMatchObject([
      { at: "15 */4 * * *", projects: ["site-check", "registry-check"], unchanged: "run" },
    ]);
    const pipeline = config.projects.get(ProjectName.parse("registry-check"))?.pipeline;
    if (pipeline === undefined) throw new Error("it has no pipeline");
    const { steps } = planBuild(pipeline, { event: "nightly", branch: "main", onlySteps: undefined });
    expect(steps.map(({ id, needs }) => [id, needs])).toEqual([
      ["image", []],
      ["unit", ["image"]],
      ["s3", ["image", "unit"]],
      ["workflow", ["image", "unit", "s3"]],
    ]);
  });
});

test.each(["docker", "docker-registry"])("the tests of %s leave its coverage (O-161)", async (name) => {
  const { steps } = parsePipeline(await readFile(join(EXAMPLES, name, "project", ".docker-ci.yml"), "utf8"));
  expect(steps.find((step) => step.name === "tests")).toMatchObject({ coverage: "coverage.out" });
});

/** @returns the exit status. */
function npmTest(folder: string): Promise<number> {
  // Node's test runner stays silent inside another test runner's process.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  return new Promise((resolve) => {
    execFile("npm", ["test"], { cwd: folder, env }, (error) => resolve(error === null ? 0 : Number(error.code)));
  });
}
