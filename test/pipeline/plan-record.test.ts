/** The plan as it is kept with its build. */
import { expect, test } from "vitest";
import { BuildNumber } from "../../src/names.ts";
import { planBuild } from "../../src/pipeline/plan.ts";
import { RecordedPlan, recordPlan } from "../../src/pipeline/plan-record.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";
import { openRecords } from "../support/records.ts";

const PIPELINE = parsePipeline(`
steps:
  - { name: image, build: { context: app, args: { BASE: "node:$NODE" }, target: test } }
  - name: tests
    run: [npm ci, npm test]
    env: { A: b }
    services: { db: { image: "postgres:16", ready: pg_isready, env: { POSTGRES_PASSWORD: x } } }
    timeout: 10m
  - { name: publish, image: "alpine:3", run: ./publish, when: { branch: release } }
matrix: { NODE: [20, 22] }
`);
const PLAN = planBuild(PIPELINE, { branch: "main", event: "push", onlySteps: undefined });
const RECORDED = recordPlan(PLAN, { projectEnv: ["CGO_ENABLED"], secrets: ["NPM_TOKEN"] });

test("has what each step is run with, as its lane has it (O-26, O-52)", () => {
  expect(RECORDED).toMatchObject({ isParallel: true, projectEnv: ["CGO_ENABLED"], secrets: ["NPM_TOKEN"] });
  expect(RECORDED.steps.slice(3)).toEqual([
    {
      kind: "build",
      id: "image.2",
      name: "image",
      lane: { NODE: "22" },
      needs: [],
      context: "app",
      dockerfile: "Dockerfile",
      args: { NODE: "22", BASE: "node:22" },
      target: "test",
    },
    {
      kind: "run",
      id: "tests.2",
      name: "tests",
      lane: { NODE: "22" },
      needs: ["image.2"],
      timeoutMs: 600_000,
      script: "npm ci\nnpm test",
      image: { kind: "step", step: "image" },
      env: { NODE: "22", A: "b" },
      services: { db: { image: "postgres:16", ready: "pg_isready", env: { POSTGRES_PASSWORD: "x" } } },
    },
    {
      kind: "run",
      id: "publish.2",
      name: "publish",
      lane: { NODE: "22" },
      needs: [],
      leftOut: "only on branch release",
      script: "./publish",
      image: { kind: "reference", reference: "alpine:3" },
      env: { NODE: "22" },
      services: {},
    },
  ]);
});

test("comes back from JSON as it was, and nothing else does", () => {
  const json: unknown = JSON.parse(JSON.stringify(RECORDED));
  expect(RecordedPlan.parse(json)).toEqual(RECORDED);
  expect(RecordedPlan.safeParse({ ...RECORDED, more: 1 }).success).toBe(false);
});

test("is kept beside the record, which goes on as before (O-52)", async () => {
  await using records = await openRecords();
  const build = await records.create();
  expect(await records.store.plan(build.number)).toBeUndefined();
  await records.store.setPlan(build.number, RECORDED);
  const begun = await records.begin(build);
  expect(await records.store.plan(build.number)).toEqual(RECORDED);
  expect(await records.store.get(build.number)).toEqual(begun);
});

test("of a build without a record is not kept, and one that cannot be read is none", async () => {
  await using records = await openRecords();
  const number = BuildNumber.parse(99);
  await records.store.setPlan(number, RECORDED);
  expect(await records.redis.commands.exists("docker-ci:build:99")).toBe(0);
  const build = await records.create();
  await records.redis.commands.hset(`docker-ci:build:${build.number}`, "plan", '{"steps":[],"from":"later"}');
  expect(await records.store.plan(build.number)).toBeUndefined();
});
