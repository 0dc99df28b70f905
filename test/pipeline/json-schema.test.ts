/** The JSON schema that editors are given: what is valid passes it, and most of what is not does not. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { pipelineJsonSchema } from "../../src/pipeline/json-schema.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";

const EXAMPLE = join(PACKAGE_FOLDER, "examples", "pipeline.yml");
const readText = (...path: readonly string[]) => readFileSync(join(PACKAGE_FOLDER, ...path), "utf8");
const validate = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false }).compile(
  JSON.parse(pipelineJsonSchema()),
);

/** What the validator has against a file, by its places in it. */
function complaints(source: string): string[] {
  validate(parse(source));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test("the committed copy is what docker-ci schema prints", () => {
  expect(readText("examples", "pipeline.schema.json"), "docker-ci schema > examples/pipeline.schema.json").toBe(
    pipelineJsonSchema(),
  );
});

test("the first line of the example leads an editor to it", () => {
  const [, path = ""] = /^# yaml-language-server: \$schema=(\S+)\n/.exec(readFileSync(EXAMPLE, "utf8")) ?? [];
  expect(join(dirname(EXAMPLE), path)).toBe(join(PACKAGE_FOLDER, "examples", "pipeline.schema.json"));
});

const README_PIPELINES = [...readText("README.md").matchAll(/^```yaml\n(steps:[\s\S]*?)^```/gm)].map(
  ([, text = ""]) => text,
);

test.each([
  ["examples/pipeline.yml", readFileSync(EXAMPLE, "utf8")],
  ["examples/hello", readText("examples", "hello", "project", ".docker-ci.yml")],
  ...README_PIPELINES.map((text, index): [string, string] => [`pipeline ${index + 1} of the README`, text]),
  ["one entry for a list", "steps: [{name: a, image: b, run: c, tests: d, cache: /e, needs: [], when: {event: tag}}]"],
  [
    "numbers and switches as text",
    "steps: [{name: 1, image: b, run: 2, env: {A: 1.20, B: true}}]\nmatrix: {N: [1, x]}",
  ],
])("valid: %s", (_name, source) => {
  parsePipeline(source);
  expect(complaints(source)).toEqual([]);
});

describe("wrong for the editor as for docker-ci", () => {
  test.each([
    ["no steps", "matrix: {A: [1]}", " must have required property 'steps'"],
    ["an unknown key", "steps: [{name: a, imgae: b}]", "/steps/0 must NOT have additional properties"],
    ["no name", "steps: [{image: b}]", "/steps/0 must have required property 'name'"],
    ["a name with capitals", "steps: [{name: A, image: b}]", "/steps/0/name must match pattern"],
    ["both build and run", "steps: [{name: a, build: ., run: b}]", "/steps/0/run boolean schema is false"],
    [
      "a context out of the repository",
      "steps: [{name: a, build: {context: ../x}}]",
      "/steps/0/build/context must match",
    ],
    ["an image that is none", "steps: [{name: a, image: 'rm -rf'}]", "/steps/0/image must match pattern"],
    ["a bare number for a time", "steps: [{name: a, image: b, timeout: 10}]", "/steps/0/timeout must be string"],
    ["a time without a unit", "steps: [{name: a, image: b, timeout: '10'}]", "/steps/0/timeout must match pattern"],
    [
      "a wrong event",
      "steps: [{name: a, image: b, when: {event: pushed}}]",
      "/steps/0/when/event must be equal to one",
    ],
    ["a third try", "steps: [{name: a, image: b, retry_failed: 2}]", "/steps/0/retry_failed must be equal to one"],
    [
      "more than all",
      "steps: [{name: a, image: b, coverage: c, fail_under: 101}]",
      "/steps/0/fail_under must be <= 100",
    ],
    ["a threshold of nothing", "steps: [{name: a, image: b, max_drop: 1}]", "/steps/0 must have property coverage"],
    ["a relative cache", "steps: [{name: a, image: b, cache: node_modules}]", "/steps/0/cache must match pattern"],
    [
      "a variable without values",
      "steps: [{name: a, image: b}]\nmatrix: {A: []}",
      "/matrix/A must NOT have fewer than 1",
    ],
    ["a variable with a dash", "steps: [{name: a, image: b}]\nmatrix: {A-B: [1]}", "/matrix must match pattern"],
  ])("%s", (_what, source, complaint) => {
    expect(() => parsePipeline(source)).toThrow();
    expect(complaints(source)).toContainEqual(expect.stringContaining(complaint));
  });
});

test("every key is described", () => {
  const missing: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, entry] of Object.entries(value)) {
      const isKey = path.endsWith("/properties") && !path.endsWith("/then/properties");
      if (isKey && typeof Reflect.get(Object(entry), "description") !== "string") missing.push(`${path}/${key}`);
      walk(entry, `${path}/${key}`);
    }
  };
  walk(JSON.parse(pipelineJsonSchema()), "");
  expect(missing).toEqual([]);
});
