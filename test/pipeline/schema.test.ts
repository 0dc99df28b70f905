/** `.docker-ci.yml`: what it may say, and what is said about its mistakes. */
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { defaultPipeline, type Pipeline, parsePipeline } from "../../src/pipeline/schema.ts";

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
    needs: lint
    retry_failed: 1
    fail_under: 61.5
    max_drop: 2
  - { name: lint, image: "node:20", run: npm run lint, needs: [] }
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
        needs: ["lint"],
        retryFailed: 1,
        thresholds: { failUnder: 61.5, maxDrop: 2 },
      },
      {
        name: "lint",
        needs: [],
        retryFailed: 0,
        script: "npm run lint",
        image: { kind: "reference", reference: "node:20" },
        allowFailure: false,
      },
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
    // O-59: not docker-ci's own image, and a digest where it is to be pinned.
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

test("without a file the Dockerfile is built and its own command is the test (O-25)", () => {
  expect(defaultPipeline(true)?.steps).toMatchObject([
    { kind: "build", name: "image", context: ".", dockerfile: "Dockerfile" },
    { kind: "run", name: "tests", script: undefined, image: { kind: "step", step: "image" } },
  ]);
  expect(defaultPipeline(false)).toBeUndefined();
});

describe("a mistake is told with its key, its line, what was found and what is allowed", () => {
  test.each<[string, string, string[]]>([
    ["no steps", "matrix: {A: [b]}", ["steps: missing, needed: a list of steps"]],
    ["an empty file", "", ["steps: missing, needed: a list of steps"]],
    ["an empty list", "steps: []", ["1: steps: found an empty list, allowed: a list of at least one step"]],
    ["no mapping", "- a", ["1: found a list, allowed: a mapping with the keys steps, matrix, labels"]],
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
      "a wrong time of silence (O-27)",
      "steps:\n  - {name: a, image: b, idle: 0s}",
      ['2: steps[0].idle: found "0s", allowed: a time such as 60s, 10m, 24h or 90d, or off'],
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
      ['1: steps[0].when.event[0]: found "pushed", allowed: push, pull_request, tag, chat, nightly, api or release'],
    ],
    [
      "an empty command",
      "steps: [{name: a, image: b, run: }]",
      ["1: steps[0].run: found nothing, allowed: a list of commands"],
    ],
    [
      "no commands",
      "steps: [{name: a, image: b, run: []}]",
      ["1: steps[0].run: found an empty list, allowed: at least one command"],
    ],
    [
      "a path of two lines",
      'steps: [{name: a, image: b, tests: "x\\ny"}]',
      ['1: steps[0].tests[0]: found "x\\ny", allowed: a path or pattern'],
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
      "a need of no step",
      "steps:\n  - {name: test, image: b}\n  - {name: c, image: b, needs: [test, tset]}",
      ['3: steps[1].needs[1]: found "tset", which is no step. Did you mean test?'],
    ],
    [
      "a need of itself",
      "steps:\n  - name: a\n    image: b\n    needs: a",
      ['4: steps[0].needs[0]: found "a", which is this step itself'],
    ],
    [
      "a circle",
      "steps:\n  - {name: a, image: x, needs: []}\n  - {name: b, image: x, needs: [c]}\n  - {name: c, image: x, needs: [a, d]}\n  - {name: d, image: x, needs: [b]}",
      ['3: steps[1].needs[0]: found "c", which waits for this step in turn: b → c → d → b'],
    ],
    [
      "a circle over a step that has no needs",
      "steps:\n  - {name: a, image: x, needs: [c]}\n  - {name: b, image: x}\n  - {name: c, image: x}",
      [
        '2: steps[0].needs[0]: found "c", which waits for this step in turn: a → c → a; without needs, c waits for all steps before it',
      ],
    ],
    [
      "a circle over an image",
      "steps:\n  - {name: a, build: ., needs: b}\n  - {name: b, image: a, needs: []}",
      ['2: steps[0].needs[0]: found "b", which waits for this step in turn: a → b → a'],
    ],
    [
      "coverage's keys without coverage",
      "steps:\n  - name: a\n    image: b\n    coverage_html: c\n    fail_under: 80\n    max_drop: 1",
      [
        "4: steps[0].coverage_html: cannot stand without coverage, the path of a coverage report",
        "5: steps[0].fail_under: cannot stand without coverage, the path of a coverage report",
        "6: steps[0].max_drop: cannot stand without coverage, the path of a coverage report",
      ],
    ],
    [
      "more than one retry",
      "steps: [{name: a, image: b, retry_failed: 2}]",
      ["1: steps[0].retry_failed: found 2, allowed: a whole number from 0 to 1"],
    ],
    [
      "a branch that no git has",
      "steps: [{name: a, image: b, when: {branch: [main, 'a b'], event: []}}]",
      [
        '1: steps[0].when.branch[1]: found "a b", allowed: a branch name, or a pattern with *',
        "1: steps[0].when.event: found an empty list, allowed: at least one of push, pull_request, tag, chat, nightly, api and release",
      ],
    ],
    [
      "too many services",
      `steps: [{name: a, image: b, services: {${Array.from({ length: 11 }, (_, n) => `s${n}: redis`).join(", ")}}}]`,
      ["1: steps[0].services: found 11 services, allowed: at most 10"],
    ],
    [
      "an empty matrix",
      "steps: [{name: a, image: b}]\nmatrix: {}",
      ["2: matrix: found no variable, allowed: a mapping of variables to lists of values"],
    ],
    [
      "a variable without values, a value twice, a value of two lines",
      'steps: [{name: a, image: b}]\nmatrix:\n  A: []\n  B: [1, 2, "1"]\n  C: ["x\\ny"]',
      [
        "3: matrix.A: found an empty list, allowed: a list of at least one value",
        '4: matrix.B[2]: found "1" again, allowed: each value once',
        '5: matrix.C[0]: found "x\\ny", allowed: text of one line, at most 100 characters',
      ],
    ],
    [
      "variables that docker-ci sets",
      "steps: [{name: a, image: b}]\nmatrix:\n  CI: [x]\n  DOCKER_CI_URL: [x]",
      [
        "3: matrix.CI: this name is set by docker-ci itself, allowed: a name other than CI and DOCKER_CI_…",
        "4: matrix.DOCKER_CI_URL: this name is set by docker-ci itself, allowed: a name other than CI and DOCKER_CI_…",
      ],
    ],
    [
      "a matrix of 10,000",
      `steps: [{name: a, image: b}]\nmatrix: {N: [${Array.from({ length: 10_000 }, (_, n) => n).join(",")}]}`,
      ["2: matrix: found 10,000 combinations, allowed: at most 64"],
    ],
    [
      "a matrix of more than anybody counts",
      `steps: [{name: a, image: b}]\nmatrix: {${[..."ABCDEFGH"].map((name) => `${name}: [1,2,3,4,5,6,7,8,9]`).join(", ")}}`,
      ["2: matrix: found more than 1,000,000 combinations, allowed: at most 64"],
    ],
    [
      "too many variables",
      `steps: [{name: a, image: b}]\nmatrix: {${[..."ABCDEFGHIJK"].map((name) => `${name}: [1]`).join(", ")}}`,
      ["2: matrix: found 11 variables, allowed: at most 10"],
    ],
    [
      "too many steps in all lanes",
      `steps: [${Array.from({ length: 41 }, (_, n) => `{name: s${n}, image: b}`).join(", ")}]\nmatrix: {A: [1,2,3,4,5,6,7,8,9,10]}`,
      ["2: matrix: found 410 steps (41 in each of 10 lanes), allowed: at most 400"],
    ],
    [
      "steps too large for so many lanes",
      `steps: [{name: s, image: b, run: "${"x".repeat(200_000)}"}]\nmatrix: {A: [${Array.from({ length: 22 }, (_, n) => n).join(",")}]}`,
      ["2: matrix: found 4.2 MiB of steps in 22 lanes, allowed: at most 4 MiB"],
    ],
    [
      "steps too large by aliases",
      `steps:\n  - {name: s, image: b, run: &run "${"x".repeat(100_000)}"}\n${Array.from({ length: 50 }, (_, n) => `  - {name: s${n}, image: b, run: *run}\n`).join("")}`,
      ["1: steps: found 4.9 MiB of steps, allowed: at most 4 MiB"],
    ],
    [
      "a variable of no matrix in an image",
      "steps:\n  - {name: a, image: 'node:$NODE'}",
      ['2: steps[0].image: found "node:$NODE", in which NODE is no variable of matrix'],
    ],
    [
      "a variable of the matrix that is misspelt",
      "steps:\n  - {name: a, image: 'node:$NDOE', services: {db: 'postgres:$PG'}}\nmatrix: {NODE: [20], PG: [16]}",
      ['2: steps[0].image: found "node:$NDOE", in which NDOE is no variable of matrix. Did you mean NODE?'],
    ],
    [
      "an image that is none in one of the lanes",
      "steps:\n  - {name: a, image: 'node:$NODE', needs: []}\nmatrix: {NODE: [20, 'the latest']}",
      [
        '2: steps[0].image: found "node:$NODE", which is "node:the latest" in the lane NODE=the latest, allowed: an image such as node:20; a step is named without a variable',
      ],
    ],
    [
      "a variable for the name of a step",
      "steps:\n  - {name: base, build: .}\n  - {name: a, image: $IMG}\nmatrix: {IMG: [debian, base]}",
      [
        '3: steps[1].image: found "$IMG", which is "base" in the lane IMG=base, allowed: an image such as node:20; a step is named without a variable',
      ],
    ],
    [
      "a path out of the repository in one of the lanes",
      "steps:\n  - name: a\n    build:\n      context: apps/$APP\n      dockerfile: $APP\nmatrix: {APP: [web, ..]}",
      [
        '4: steps[0].build.context: found "apps/$APP", which is "apps/.." in the lane APP=.., allowed: a path inside the repository',
        '5: steps[0].build.dockerfile: found "$APP", which is ".." in the lane APP=.., allowed: a path inside the repository',
      ],
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
    ["thousands of unknown keys", `steps: [{name: a, image: b}]\n${keys(20_000, "a")}`],
    ["thousands of wrong names", `steps:\n- name: a\n  image: b\n  env:\n${keys(15_000, "    a-")}`],
    ["thousands of wrong steps", `steps: [${"x,".repeat(120_000)}]`],
    ["thousands of unknown needs", `steps: [{name: a, image: b, needs: [${"x,".repeat(120_000)}]}]`],
    ["nearly as many values as allowed", `steps: [{name: a, image: b, needs: [${"x,".repeat(49_000)}]}]`],
    ["thousands of values", `steps: [{name: a, image: b}]\nmatrix: {N: [${"x,".repeat(120_000)}]}`],
  ])("%s", (_what, source) => {
    // The processor's time: other tests may be at work beside this one.
    const before = process.cpuUsage();
    const problems = problemsOf(source);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThan(60);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(4000);
  });
});

function keys(count: number, start: string): string {
  return Array.from({ length: count }, (_, n) => `${start}${n}: 1\n`).join("");
}

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
