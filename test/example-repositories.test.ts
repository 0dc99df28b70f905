/** The example repositories are there for whoever has them built. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";
import { EXAMPLES, withExamples } from "../src/example-repositories.ts";
import { commitFiles } from "./support/repository.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

async function configured(folder: string, text?: string) {
  if (text !== undefined) await commitFiles(folder, { "docker-ci.yml": text });
  return withExamples(await loadConfig({ env: {}, cwd: folder }));
}

const made = (folder: string): string[] =>
  EXAMPLES.filter((name) => existsSync(join(folder, "data/examples", name, ".git")));

test("without projects of its own, docker-ci knows the examples", async () => {
  await using folder = await temporaryFolder();
  const { projects } = await configured(folder.path);
  expect([...projects.keys()]).toEqual(EXAMPLES);
  expect(made(folder.path)).toEqual(EXAMPLES);
});

test("a project that is configured with an example's path finds it at the first start, beside others", async () => {
  await using folder = await temporaryFolder();
  const { projects } = await configured(
    folder.path,
    "projects: { mine: { repo: git://localhost/mine }, first: { repo: ./data/examples/hello } }\n",
  );
  expect([...projects.keys()]).toEqual(["mine", "first"]);
  expect(made(folder.path)).toContain("hello");
});

test("a data folder that cannot be written is a mistake of the configuration, told in one line", async () => {
  await using folder = await temporaryFolder();
  await commitFiles(folder.path, { data: "a file" });
  await expect(configured(folder.path)).rejects.toThrow(
    new RegExp(
      `^docker-ci cannot start.\n  data: ${folder.path}/data cannot be written by the user \\d+ \\([^\n]+; give`,
    ),
  );
});

test("a configuration that names none of them gets none", async () => {
  await using folder = await temporaryFolder();
  await configured(
    folder.path,
    "projects: { a: { repo: ./data/examples }, b: { repo: ./data/examples-of-ours/hello } }\n",
  );
  expect(made(folder.path)).toEqual([]);
});
