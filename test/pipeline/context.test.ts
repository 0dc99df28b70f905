/** The context of a `build:` step: what its Dockerfile sees, and what it may be built from. */
import { describe, expect, test } from "vitest";
import { buildContext, withStepImages } from "../../src/pipeline/context.ts";
import { type BuildStep, parsePipeline } from "../../src/pipeline/schema.ts";
import { listTar, type TarEntry, treeOf } from "../support/tree.ts";

function stepOf(build: string): BuildStep {
  const [step] = parsePipeline(`steps: [{ name: image, build: ${build} }]`).steps;
  if (step?.kind !== "build") throw new Error("it builds");
  return step;
}

/** The files of the context and the Dockerfile's name, or what is missing. */
async function contextOf(files: Readonly<Record<string, TarEntry>>, build = ".", images = new Map<string, string>()) {
  await using tree = await treeOf(files);
  const context = await buildContext(tree.tarFile, stepOf(build), images);
  if ("missing" in context) return context;
  return { dockerfile: context.dockerfile, files: await listTar(context.stream) };
}

/** Only the names. */
async function seen(files: Readonly<Record<string, TarEntry>>, build = "."): Promise<string[]> {
  const context = await contextOf(files, build);
  return "missing" in context ? [context.missing] : Object.keys(context.files).toSorted();
}

describe("the context", () => {
  test("is the whole tree as it is, when nothing says otherwise", async () => {
    const files = { Dockerfile: "FROM x\n", "a/b.txt": "b", run: { text: "#!/bin/sh", mode: 0o755 }, l: { link: "a" } };
    expect(await contextOf(files)).toEqual({
      dockerfile: "Dockerfile",
      files: { Dockerfile: "FROM x\n", "a/b.txt": "b", run: "#!/bin/sh (755)", l: "-> a" },
    });
  });

  test.each([
    ["sub", "sub"],
    ["./sub/", "sub"],
    ["{ context: sub }", "sub"],
    ["{ context: sub/../sub }", "sub"],
  ])("of build: %s is that folder alone, with its paths from there", async (build) => {
    if (build.includes("..")) {
      expect(() => stepOf(build)).toThrow();
      return;
    }
    const long = `${"deep/".repeat(30)}file.txt`;
    const files = {
      "top.txt": "t",
      "sub/Dockerfile": "FROM x\n",
      "sub/in/a.txt": "a",
      "subway/b.txt": "b",
      "sub/l": { link: "in/a.txt" },
      [`sub/${long}`]: "d",
    };
    expect(await contextOf(files, build)).toEqual({
      dockerfile: "Dockerfile",
      files: { Dockerfile: "FROM x\n", "in/a.txt": "a", l: "-> in/a.txt", [long]: "d" },
    });
  });

  test.each([
    [".", "the repository has no Dockerfile"],
    ["sub", "the repository has no sub/Dockerfile"],
    ["{ context: sub, dockerfile: ci/test.Dockerfile }", "the repository has no sub/ci/test.Dockerfile"],
    ["nowhere", "the repository has no nowhere/Dockerfile"],
  ])("of build: %s without its Dockerfile is a sentence about what is missing", async (build, missing) => {
    expect(await contextOf({ "README.md": "", "sub/a": "" }, build)).toEqual({ missing });
  });
});

describe(".dockerignore", () => {
  const files = {
    Dockerfile: "FROM x\n",
    "node_modules/x/index.js": "",
    "src/a.ts": "",
    "src/a.log": "",
    "logs/keep.log": "",
    "logs/drop.log": "",
  };
  test.each([
    [
      "a folder",
      "node_modules",
      [".dockerignore", "Dockerfile", "logs/drop.log", "logs/keep.log", "src/a.log", "src/a.ts"],
    ],
    ["a pattern at any depth", "**/*.log", [".dockerignore", "Dockerfile", "node_modules/x/index.js", "src/a.ts"]],
    [
      "a pattern at the top only",
      "*.log",
      [
        ".dockerignore",
        "Dockerfile",
        "logs/drop.log",
        "logs/keep.log",
        "node_modules/x/index.js",
        "src/a.log",
        "src/a.ts",
      ],
    ],
    ["an exception inside an ignored folder", "*\n!logs/keep.log", ["Dockerfile", "logs/keep.log"]],
    [
      "comments and empty lines",
      "# nothing\n\nsrc\n",
      [".dockerignore", "Dockerfile", "logs/drop.log", "logs/keep.log", "node_modules/x/index.js"],
    ],
    [
      "a leading slash",
      "/src",
      [".dockerignore", "Dockerfile", "logs/drop.log", "logs/keep.log", "node_modules/x/index.js"],
    ],
    [
      "itself and the Dockerfile, which the builder needs all the same",
      ".dockerignore\nDockerfile\nsrc\nlogs\nnode_modules",
      ["Dockerfile"],
    ],
  ])("leaves out %s", async (_name, ignored, expected) => {
    expect(await seen({ ...files, ".dockerignore": ignored })).toEqual(expected);
  });

  test("of a folder counts for that folder, and that of the top does not", async () => {
    const inFolder = { "sub/Dockerfile": "FROM x\n", "sub/a": "", "sub/b": "" };
    expect(await seen({ ...inFolder, ".dockerignore": "*" }, "sub")).toEqual(["Dockerfile", "a", "b"]);
    expect(await seen({ ...inFolder, "sub/.dockerignore": "a" }, "sub")).toEqual([".dockerignore", "Dockerfile", "b"]);
  });

  test("of the Dockerfile's own name comes before the general one", async () => {
    const own = {
      ...files,
      ".dockerignore": "logs",
      "test.Dockerfile": "FROM x\n",
      "test.Dockerfile.dockerignore": "src",
    };
    expect(await seen(own, "{ dockerfile: test.Dockerfile }")).toContain("logs/keep.log");
    expect(await seen(own, "{ dockerfile: test.Dockerfile }")).not.toContain("src/a.ts");
    expect(await seen(own)).not.toContain("logs/keep.log");
  });
});

describe("images of earlier steps", () => {
  const images = new Map([
    ["image", "docker-ci/hello:1-image"],
    ["tools", "docker-ci/hello:1-tools"],
  ]);
  test.each([
    ["FROM image", "FROM docker-ci/hello:1-image"],
    ["from image", "from docker-ci/hello:1-image"],
    ["FROM image\r", "FROM docker-ci/hello:1-image\r"],
    ["FROM image AS base", "FROM docker-ci/hello:1-image AS base"],
    ["FROM --platform=linux/amd64 image as base", "FROM --platform=linux/amd64 docker-ci/hello:1-image as base"],
    ["FROM image:latest", "FROM image:latest"],
    ["FROM images", "FROM images"],
    ["FROM debian:12", "FROM debian:12"],
    ["# FROM image", "# FROM image"],
    ["COPY --from=tools /a /b", "COPY --from=docker-ci/hello:1-tools /a /b"],
    ["COPY --chown=1:1 --from=tools /a /b", "COPY --chown=1:1 --from=docker-ci/hello:1-tools /a /b"],
    ["COPY --from=0 /a /b", "COPY --from=0 /a /b"],
    ["COPY image tools", "COPY image tools"],
    [
      "RUN --mount=type=bind,from=tools,target=/t make",
      "RUN --mount=type=bind,from=docker-ci/hello:1-tools,target=/t make",
    ],
    ["RUN --mount=from=tools,target=/t make", "RUN --mount=from=docker-ci/hello:1-tools,target=/t make"],
    [
      "RUN --mount=type=cache,target=/c \\\n  # the tools\n  --mount=from=tools,target=/t \\\n  make",
      "RUN --mount=type=cache,target=/c \\\n  # the tools\n  --mount=from=docker-ci/hello:1-tools,target=/t \\\n  make",
    ],
    ["RUN echo \\\nFROM image", "RUN echo \\\nFROM image"],
    ["RUN echo from image", "RUN echo from image"],
    ["FROM debian AS image\nFROM image", "FROM debian AS image\nFROM image"],
    ["FROM image AS image\nFROM image", "FROM docker-ci/hello:1-image AS image\nFROM image"],
    ["FROM debian AS Tools\nCOPY --from=tools /a /b", "FROM debian AS Tools\nCOPY --from=tools /a /b"],
  ])("%j becomes %j", (dockerfile, expected) => {
    expect(withStepImages(dockerfile, images)).toBe(expected);
  });

  test.each(["Dockerfile", "ci/test.Dockerfile", "./ci/test.Dockerfile", "ci//test.Dockerfile"])(
    "are put into the context's own copy, in %s as well",
    async (dockerfile) => {
      const files = { Dockerfile: "FROM image\n", "ci/test.Dockerfile": "FROM image\n", ".dockerignore": "ci" };
      const context = await contextOf(files, `{ dockerfile: ${dockerfile} }`, images);
      if ("missing" in context) throw new Error(context.missing);
      expect(context.files[context.dockerfile]).toBe("FROM docker-ci/hello:1-image\n");
    },
  );
});
