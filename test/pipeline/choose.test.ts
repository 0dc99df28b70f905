/** Which pipeline a revision is built with. */
import { describe, expect, test } from "vitest";
import { choosePipeline } from "../../src/pipeline/choose.ts";
import { parsePipeline } from "../../src/pipeline/schema.ts";

const FILE = "steps: [{ name: from-file, image: busybox, run: 'true' }]";
const CONFIGURED = parsePipeline("steps: [{ name: configured, image: busybox, run: 'true' }]");

describe("the pipeline", () => {
  test.each([
    ["the configuration's own", CONFIGURED, { ".docker-ci.yml": FILE, Dockerfile: "FROM x" }, ["configured"]],
    ["else the repository's", undefined, { ".docker-ci.yml": FILE, Dockerfile: "FROM x" }, ["from-file"]],
    ["else the Dockerfile and its own command", undefined, { Dockerfile: "FROM x" }, ["image", "tests"]],
    ["an empty Dockerfile is one too", undefined, { Dockerfile: "" }, ["image", "tests"]],
  ])("%s", (_name, configured, top, expected) => {
    const chosen = choosePipeline(configured, new Map(Object.entries(top)));
    expect(chosen.pipeline?.steps.map(({ name }) => name)).toEqual(expected);
    expect(chosen.problems).toEqual([]);
  });

  test("with neither there is nothing to run, and a sentence says so", () => {
    expect(choosePipeline(undefined, new Map())).toEqual({
      pipeline: undefined,
      problems: [],
      reason: "the repository has neither .docker-ci.yml nor a Dockerfile at its top",
    });
  });

  test("a file with a mistake is refused, with the file, the key and what is allowed", () => {
    const top = new Map([[".docker-ci.yml", "steps: [{ name: Tests, image: busybox }]"]]);
    expect(() => choosePipeline(undefined, top)).toThrow(/\.docker-ci\.yml:1:.*name.*found "?Tests/);
  });
});
