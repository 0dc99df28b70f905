/** What a pipeline comes to in one build: its lanes, its order, and what is left out. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StepName } from "../../src/names.ts";
import { matchesPattern } from "../../src/pipeline/condition.ts";
import { type Plan, type PlanOptions, planBuild, stepLabel } from "../../src/pipeline/plan.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";

const ON_MAIN: PlanOptions = { branch: "main", event: "push", onlySteps: undefined };

function plan(source: string, changes: Partial<PlanOptions> = {}): Plan {
  return planBuild(parsePipeline(source), { ...ON_MAIN, ...changes });
}

/** `b after a`, `c left out: only on branch main`. */
function outline({ steps }: Plan): string[] {
  return steps.map(({ id, needs, leftOut }) => {
    if (leftOut !== undefined) return `${id} left out: ${leftOut}`;
    return needs.length === 0 ? id : `${id} after ${needs.join(" ")}`;
  });
}

describe("what a step waits for", () => {
  test("without needs it is all before it in the file", () => {
    const planned = plan("steps: [{name: a, build: .}, {name: b}, {name: c, image: x}]");
    expect(outline(planned)).toEqual(["a", "b after a", "c after a b"]);
    expect(planned.isParallel).toBe(false);
  });

  test("with needs it is those, and the image that it runs in", () => {
    const source = `
steps:
  - { name: image, build: . }
  - { name: lint, image: "node:20", needs: [] }
  - { name: unit, needs: [] }
  - { name: report, image: x, needs: [lint, unit, lint] }
  - { name: last, image: x }
`;
    const planned = plan(source);
    expect(outline(planned)).toEqual([
      "image",
      "lint",
      "unit after image",
      "report after lint unit",
      "last after image lint unit report",
    ]);
    expect(planned.isParallel).toBe(true);
  });

  test("what is needed may stand later in the file, and is told of first", () => {
    const planned = plan("steps: [{name: a, image: x, needs: b}, {name: b, image: x, needs: []}, {name: c, image: x}]");
    expect(outline(planned)).toEqual(["b", "a after b", "c after a b"]);
    expect(planned.isParallel).toBe(false);
  });

  test("needs that make one line leave nothing to run side by side", () => {
    const source =
      "steps: [{name: a, image: x, needs: []}, {name: b, image: x, needs: a}, {name: c, image: x, needs: b}]";
    expect(plan(source).isParallel).toBe(false);
  });
});

describe("when", () => {
  const when = (condition: string) => `steps: [{name: a, image: x, when: ${condition}}, {name: b, image: x}]`;

  test.each<[string, string, Partial<PlanOptions>, string | undefined]>([
    ["the branch", "{branch: main}", {}, undefined],
    ["another branch", "{branch: main}", { branch: "topic" }, "only on branch main"],
    ["a pattern", "{branch: [main, release/*]}", { branch: "release/1.2/rc" }, undefined],
    ["no branch, as of a tag", "{branch: '*'}", { branch: undefined }, "only on branch *"],
    ["one of the events", "{event: [push, chat]}", { event: "chat" }, undefined],
    ["another event", "{event: [push, pull_request]}", { event: "nightly" }, "only for push, pull_request"],
    ["the branch, but not the event", "{branch: main, event: tag}", {}, "only for tag"],
    ["neither", "{branch: [a, b, c, d], event: tag}", {}, "only on branches a, b, c, … and for tag"],
  ])("%s", (_what, condition, changes, reason) => {
    const planned = plan(when(condition), changes);
    expect(outline(planned)).toEqual(reason === undefined ? ["a", "b after a"] : [`a left out: ${reason}`, "b"]);
  });

  test("what is left out counts as over, and what it waits for is waited for in its place", () => {
    const source = `
steps:
  - { name: base, image: x, needs: [] }
  - { name: migrate, image: x, needs: base, when: { branch: production } }
  - { name: tests, image: x, needs: migrate }
`;
    const planned = plan(source);
    expect(outline(planned)).toEqual(["base", "migrate left out: only on branch production", "tests after base"]);
    expect(planned.isParallel).toBe(false);
  });

  test("a step whose image is left out is left out as well, and says so", () => {
    const source = "steps: [{name: image, build: ., when: {event: tag}}, {name: smoke}, {name: other, image: x}]";
    expect(outline(plan(source))).toEqual([
      "image left out: only for tag",
      "smoke left out: step image, whose image it runs in, is left out",
      "other",
    ]);
  });
});

test.each([
  ["main", "main", true],
  ["main", "mai", false],
  ["release/1.2", "release/*", true],
  ["release", "release/*", false],
  ["a-b-c", "a*b*c", true],
  ["aba", "ab*ba", false],
  ["a.c", "a?c", false],
  ["x", "**", true],
  ["(a+)+", "(a+)+", true],
])("the branch %s and the pattern %s: %s", (name, pattern, expected) => {
  expect(matchesPattern(name, pattern)).toBe(expected);
});

test("a pattern of many stars takes no longer than another", () => {
  const before = process.cpuUsage();
  expect(matchesPattern("a".repeat(250), `${"*a".repeat(120)}b`)).toBe(false);
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(200);
});

describe("a matrix", () => {
  const SOURCE = `
steps:
  - name: image
    build: { context: apps/$APP, dockerfile: "Dockerfile.\${NODE}", target: "$APP-$STAGE", args: { BASE: "node:$NODE", NODE: own } }
  - name: tests
    run: echo $NODE
    env: { APP: own, COPY: $NODE }
    services: { db: { image: "postgres:$NODE", env: { V: $NODE } } }
  - { name: lint, image: "node:$NODE-slim", needs: [] }
matrix: { NODE: [20, "22"], APP: [web, api] }
`;

  test("is the product of its values, a lane of all steps for each", () => {
    const planned = plan(SOURCE);
    expect(planned.steps.map((step) => `${step.id} ${stepLabel({ name: step.step.name, lane: step.lane })}`)).toEqual([
      "image.1 image NODE=20 APP=web",
      "tests.1 tests NODE=20 APP=web",
      "lint.1 lint NODE=20 APP=web",
      "image.2 image NODE=20 APP=api",
      "tests.2 tests NODE=20 APP=api",
      "lint.2 lint NODE=20 APP=api",
      "image.3 image NODE=22 APP=web",
      "tests.3 tests NODE=22 APP=web",
      "lint.3 lint NODE=22 APP=web",
      "image.4 image NODE=22 APP=api",
      "tests.4 tests NODE=22 APP=api",
      "lint.4 lint NODE=22 APP=api",
    ]);
    expect(outline(planned).slice(3, 6)).toEqual(["image.2", "tests.2 after image.2", "lint.2"]);
    expect(planned.isParallel).toBe(true);
  });

  test("is environment and build arguments, where the step's own win, and stands in images and paths, and nowhere else", () => {
    const [image, tests, lint] = plan(SOURCE).steps.slice(6, 9);
    expect(image?.step).toMatchObject({
      context: "apps/web",
      dockerfile: "Dockerfile.22",
      target: "web-$STAGE",
      args: { APP: "web", BASE: "node:22", NODE: "own" },
    });
    expect(tests?.step).toMatchObject({
      script: "echo $NODE",
      image: { kind: "step", step: "image" },
      env: { NODE: "22", APP: "own", COPY: "$NODE" },
      services: { db: { image: "postgres:22", env: { V: "$NODE" } } },
    });
    expect(lint?.step).toMatchObject({ image: { kind: "reference", reference: "node:22-slim" } });
  });

  test("of a single lane still has one, with nothing beside it", () => {
    const planned = plan("steps: [{name: a, image: x}, {name: b, image: x}]\nmatrix: {N: [1]}");
    expect(outline(planned)).toEqual(["a.1", "b.1 after a.1"]);
    expect(planned.isParallel).toBe(false);
  });
});

describe("without tests (O-92)", () => {
  const SOURCE = `
steps:
  - { name: image, build: . }
  - { name: unit, tests: reports/*.xml }
  - { name: cover, coverage: lcov.info, needs: [unit] }
  - { name: tests }
  - { name: pack, tests: pack.xml, artifacts: dist/** }
  - { name: docs, artifacts: docs/**, needs: [cover] }
`;

  test("steps that only test are left out, and what waited for them waits for what they waited for", () => {
    expect(outline(plan(SOURCE, { skipTests: true }))).toEqual([
      "image",
      "unit left out: tests are skipped",
      "cover left out: tests are skipped",
      "tests left out: tests are skipped",
      "pack after image",
      "docs after image",
    ]);
    expect(outline(plan(SOURCE))).toContain("unit after image");
  });

  test("one that leaves artifacts too is run, and may fail", () => {
    const allowed = (options: Partial<PlanOptions>) =>
      plan(SOURCE, options).steps.flatMap(({ id, step }) => (step.allowFailure ? [id] : []));
    expect(allowed({ skipTests: true })).toContain("pack");
    expect(allowed({ skipTests: true })).not.toContain("docs");
    expect(allowed({})).toEqual([]);
  });
});

describe("only the steps that were asked for", () => {
  const only = (...names: readonly string[]) => ({ onlySteps: names.map((name) => StepName.parse(name)) });

  test("other run steps are left out, in every lane", () => {
    const source = "steps: [{name: a, image: x}, {name: b, image: x}]\nmatrix: {N: [1, 2]}";
    expect(outline(plan(source, only("b")))).toEqual([
      "a.1 left out: not asked for",
      "b.1",
      "a.2 left out: not asked for",
      "b.2",
    ]);
  });

  test("the images that they need stay, and no others", () => {
    const source = `
steps:
  - { name: base, build: base, needs: [] }
  - { name: image, build: ., needs: base }
  - { name: docs, build: docs, needs: [] }
  - { name: tests, image: image, needs: [] }
  - { name: pages, image: docs, needs: [tests] }
`;
    expect(outline(plan(source, only("tests")))).toEqual([
      "base",
      "image after base",
      "docs left out: not asked for",
      "tests after image",
      "pages left out: not asked for",
    ]);
  });

  test("a condition counts all the same", () => {
    const source = "steps: [{name: image, build: .}, {name: publish, when: {event: tag}}]";
    expect(outline(plan(source, only("publish")))).toEqual([
      "image left out: not asked for",
      "publish left out: only for tag",
    ]);
  });
});

/** A pipeline without mistakes, as text: each step may need any before it in a shuffled order, so the file's order is free. */
const pipelineText = fc
  .record({
    steps: fc.array(
      fc.record({
        place: fc.nat(1000),
        isBuild: fc.boolean(),
        runsIn: fc.nat(20),
        needs: fc.option(fc.array(fc.nat(20), { maxLength: 4 })),
        when: fc.constantFrom("", "branch: main", "branch: other", "event: tag", "event: [push, tag]"),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    matrix: fc.option(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 })),
  })
  .map(({ steps, matrix }) => {
    const byPlace = steps.map(({ place }, index) => ({ place, index })).sort((a, b) => a.place - b.place);
    const rank = new Map(byPlace.map(({ index }, position) => [index, position]));
    const lines = steps.map(({ isBuild, runsIn, needs, when }, index) => {
      const builds = steps.flatMap((other, before) => (other.isBuild && before < index ? [`s${before}`] : []));
      // Only those of a lower rank: no circle. An image is of a lower rank too, or it is none of ours.
      const lower = steps.flatMap((_, other) => ((rank.get(other) ?? 0) < (rank.get(index) ?? 0) ? [`s${other}`] : []));
      const images = builds.filter((name) => lower.includes(name));
      const image = images.length === 0 ? "busybox" : (images[runsIn % images.length] ?? "busybox");
      const named = (needs ?? []).flatMap((need) => lower[need % Math.max(1, lower.length)] ?? []);
      const own = isBuild ? "build: ." : `image: ${image}`;
      return `  - { name: s${index}, ${own}, needs: [${named.join(", ")}]${when === "" ? "" : `, when: { ${when} }`} }`;
    });
    const variables = (matrix ?? []).map(
      (count, index) => `V${index}: [${Array.from({ length: count }, (_, n) => n)}]`,
    );
    return `steps:\n${lines.join("\n")}\n${matrix === null ? "" : `matrix: { ${variables.join(", ")} }\n`}`;
  });

test("of any pipeline: ids are unique, nothing stands before what it needs, nothing left out is needed, all lanes are alike", () => {
  fc.assert(
    fc.property(pipelineText, fc.option(fc.array(fc.nat(12)), { nil: undefined }), (source, asked) => {
      const pipeline = parsePipeline(source);
      const onlySteps = asked?.map((index) => StepName.parse(`s${index}`));
      const { steps, isParallel } = planBuild(pipeline, { ...ON_MAIN, onlySteps });
      const places = new Map(steps.map(({ id }, index) => [id, index]));
      expect(places.size).toBe(steps.length);
      for (const [index, { needs }] of steps.entries()) {
        for (const need of needs) {
          expect(places.get(need)).toBeLessThan(index);
          expect(steps[places.get(need) ?? -1]?.leftOut).toBeUndefined();
        }
      }
      // One whose image is left out is left out.
      for (const { step, leftOut, lane } of steps) {
        if (step.kind !== "run" || step.image.kind !== "step" || leftOut !== undefined) continue;
        const image = step.image.step;
        const own = steps.find((other) => other.lane === lane && other.step.name === image);
        expect(own?.leftOut).toBeUndefined();
      }
      const lanes = [...new Set(steps.map(({ lane }) => lane))];
      const shapes = lanes.map((lane) => {
        const own = outline({ steps: steps.filter((planned) => planned.lane === lane), isParallel });
        return own.join("\n").replaceAll(/\.\d+/g, "");
      });
      expect(new Set(shapes).size).toBe(1);
      // What is said of side by side is true: some two of which neither waits for the other.
      const waits = new Map<string, Set<string>>();
      for (const { id, needs } of steps) {
        waits.set(id, new Set(needs.flatMap((need) => [need, ...(waits.get(need) ?? [])])));
      }
      const taking = steps.filter(({ leftOut }) => leftOut === undefined);
      const free = taking.some((a, i) => taking.slice(0, i).some((b) => waits.get(a.id)?.has(b.id) !== true));
      expect(isParallel).toBe(free);
    }),
  );
});
