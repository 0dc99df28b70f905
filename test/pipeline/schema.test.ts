/** `.docker-ci.yml`: what it may say, and what is said about its mistakes. */
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { defaultPipeline, idleKeys, type Pipeline, parsePipeline } from "../../src/pipeline/schema.ts";

const EVERYTHING = `
steps:
  - name: image
    build: { context: app, dockerfile: Dockerfile.ci, args: { NODE: 20 }, target: test }
  - name: tests
    run: [npm ci, npm test]
    services: { redis: { image: "redis:7", ready: "redis-cli ping" }, db: "postgres:16" }
    env: { NODE_ENV: test, HOME_OF: $HOME, GO: 1.20 }
    tests: reports/*.xml
    coverage: coverage/lcov.info
    coverage_html: coverage/lcov-report
    artifacts: [dist/*.tgz]
    cache: [/root/.npm]
    timeout: 10m
    when: { branch: main, event: [push, chat] }
    allow_failure: true
  - { name: lint, image: "node:20", run: npm run lint }
matrix: { NODE: [20, "22"] }
`;

test("every key of the file arrives", () => {
  expect(parsePipeline(EVERYTHING)).toMatchObject({
    steps: [
      {
        kind: "build",
        name: "image",
        context: "app",
        dockerfile: "Dockerfile.ci",
        args: { NODE: "20" },
        target: "test",
      },
      {
        kind: "run",
        name: "tests",
        script: "npm ci\nnpm test",
        image: { kind: "step", step: "image" },
        services: {
          redis: { image: "redis:7", ready: "redis-cli ping", env: {} },
          db: { image: "postgres:16", ready: undefined, env: {} },
        },
        env: { NODE_ENV: "test", HOME_OF: "$HOME", GO: "1.20" },
        tests: ["reports/*.xml"],
        coverage: "coverage/lcov.info",
        coverageHtml: "coverage/lcov-report",
        artifacts: ["dist/*.tgz"],
        cache: ["/root/.npm"],
        timeoutMs: 600_000,
        when: { branches: ["main"], events: ["push", "chat"] },
        allowFailure: true,
      },
      { name: "lint", script: "npm run lint", image: { kind: "reference", reference: "node:20" }, allowFailure: false },
    ],
    matrix: { NODE: ["20", "22"] },
  });
});

describe("a step's image", () => {
  test.each([
    [
      "the last one built before it",
      "[{name: a, build: .}, {name: b, build: x}, {name: c}]",
      { kind: "step", step: "b" },
    ],
    [
      "an earlier step it names",
      "[{name: a, build: .}, {name: b, build: x}, {name: c, image: a}]",
      { kind: "step", step: "a" },
    ],
    ["any reference", "[{name: a, image: 'registry.example.org:5000/x/y:1@sha256:aa'}]", { kind: "reference" }],
    [
      "a reference named like a run step",
      "[{name: node, image: debian}, {name: b, image: node}]",
      { kind: "reference", reference: "node" },
    ],
  ])("is %s", (_what, steps, expected) => {
    expect(parsePipeline(`steps: ${steps}`).steps.at(-1)).toMatchObject({ kind: "run", image: expected });
  });
});

test("without a file the Dockerfile is built and its own command is the test", () => {
  expect(defaultPipeline(true)?.steps).toMatchObject([
    { kind: "build", name: "image", context: ".", dockerfile: "Dockerfile" },
    { kind: "run", name: "tests", script: undefined, image: { kind: "step", step: "image" } },
  ]);
  expect(defaultPipeline(false)).toBeUndefined();
});

test("keys that do nothing yet are named, and no others", () => {
  expect(idleKeys(parsePipeline(EVERYTHING))).toEqual([
    "tests (when, services, tests, coverage, coverage_html, artifacts, cache)",
    "matrix",
  ]);
  const plain = "steps: [{name: a, image: x, run: y, env: {A: b}, timeout: 1m, allow_failure: true}]";
  expect(idleKeys(parsePipeline(plain))).toEqual([]);
});

describe("a mistake is told with its key, its line, what was found and what is allowed", () => {
  test.each<[string, string, string[]]>([
    ["no steps", "matrix: {A: [b]}", ["steps: missing, needed: a list of steps"]],
    ["an empty file", "", ["steps: missing, needed: a list of steps"]],
    ["an empty list", "steps: []", ["1: steps: found an empty list, allowed: a list of at least one step"]],
    ["no mapping", "- a", ["1: found a list, allowed: a mapping with the keys steps, matrix"]],
    [
      "an unknown key",
      "steps:\n  - name: a\n    image: b\n    tmieout: 5m",
      ["4: steps[0].tmieout: unknown key. Did you mean timeout?"],
    ],
    [
      "a wrong time",
      "steps:\n  - {name: a, image: b, timeout: 10}",
      ["2: steps[0].timeout: found 10, allowed: a time such as 60s, 10m, 24h or 90d"],
    ],
    [
      "a wrong name",
      "steps: [{name: My Step, image: b}]",
      ["1: steps[0].name: found \"My Step\", allowed: a name of lower-case letters, digits, '_' and '-', at most 40"],
    ],
    [
      "no name",
      "steps:\n  - image: b",
      ["2: steps[0].name: missing, needed: a name of lower-case letters, digits, '_' and '-', at most 40"],
    ],
    [
      "one name twice",
      "steps:\n  - {name: a, image: b}\n  - {name: a, image: b}",
      ['3: steps[1].name: found "a" again (it names step 1), allowed: a name of its own'],
    ],
    [
      "no image",
      "steps: [{name: a, run: b}]",
      ["1: steps[0].image: missing, needed: an image, as no step before this one builds one"],
    ],
    [
      "an image built later",
      "steps:\n  - {name: a, image: b}\n  - {name: b, build: .}",
      ['2: steps[0].image: found "b", which is built only later, by step 2'],
    ],
    [
      "both build and run",
      "steps: [{name: a, build: ., run: b}]",
      ["1: steps[0].run: cannot stand beside build; a step either builds an image or runs a container"],
    ],
    [
      "a path out of the repository",
      "steps: [{name: a, build: ../x}]",
      [
        '1: steps[0].build: found "../x", allowed: a folder of the repository such as . or a mapping of context, dockerfile, args and target',
      ],
    ],
    [
      "an unknown key of build",
      "steps: [{name: a, build: {contxt: .}}]",
      ["1: steps[0].build.contxt: unknown key. Did you mean context?"],
    ],
    [
      "a wrong event",
      "steps: [{name: a, image: b, when: {event: pushed}}]",
      ['1: steps[0].when.event[0]: found "pushed", allowed: push, pull_request, tag, chat, nightly or api'],
    ],
    [
      "an empty command",
      "steps: [{name: a, image: b, run: }]",
      ["1: steps[0].run: found nothing, allowed: a list of commands"],
    ],
    [
      "a name no shell takes",
      "steps: [{name: a, image: b, env: {A-B: c}}]",
      [
        "1: steps[0].env.A-B: this name cannot stand here, allowed: a name of letters, digits and '_', as environment variables have",
      ],
    ],
    [
      "a reference of no image",
      "steps: [{name: a, image: 'rm -rf'}]",
      ['1: steps[0].image: found "rm -rf", allowed: an earlier build step, or an image such as node:20'],
    ],
    [
      "several at once, from the top down",
      "steps:\n  - {name: a, image: b, timeout: x}\n  - {name: a, image: b, allow_failure: maybe}\nmatrx: {}",
      [
        '2: steps[0].timeout: found "x", allowed: a time such as 60s, 10m, 24h or 90d',
        '3: steps[1].allow_failure: found "maybe", allowed: true or false',
        '3: steps[1].name: found "a" again (it names step 1), allowed: a name of its own',
        "4: matrx: unknown key. Did you mean matrix?",
      ],
    ],
    ["no YAML", "steps:\n  - name: a\n   image: b", ["3: not valid YAML: Sequence item without - indicator"]],
    ["a key twice", "steps: [{name: a, image: b}]\nsteps: []", ["2: the key steps stands twice in one mapping"]],
    [
      "two documents",
      "steps: [{name: a, image: b}]\n---\nsteps: []",
      ["2: a second document begins here, allowed: one"],
    ],
  ])("%s", (_what, source, expected) => {
    expect(problemsOf(source)).toEqual(expected);
  });
});

describe("a file that is meant to do harm is refused at once", () => {
  test.each([
    [
      "aliases of aliases",
      `a: &a [${"x,".repeat(9)}]\n${"bcdefghi".replaceAll(/./g, (key) => `${key}: &${key} [${`*${String.fromCharCode(key.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`,
    ],
    ["an alias of itself", "steps: &a [*a]"],
    ["deep nesting", "[".repeat(100_000)],
    ["a huge file", `steps: [{name: a, image: b}]\n${"#".repeat(2 * 1024 * 1024)}`],
    ["an alias of nothing", "steps: *nothing"],
    ["a key that JavaScript keeps for itself", "steps: [{name: a, image: b, env: {__proto__: c}}]"],
    ["a key that is a list", "? [a, b]\n: c"],
    ["a tag", "steps: !!js/function 'x'"],
  ])("%s", (_what, source) => {
    const started = performance.now();
    const problems = problemsOf(source);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThan(10);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

/** The problems without the file's name in front. */
function problemsOf(source: string): string[] {
  try {
    const parsed: Pipeline = parsePipeline(source, ".docker-ci.yml");
    throw new Error(`accepted: ${JSON.stringify(parsed)}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => problem.replace(/^\.docker-ci\.yml: ?/, ""));
  }
}
