import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "hono/jsx" } },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Two files at a time: the tests drive a real Docker Engine, and the smallest machine we run on has two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ["default", "./test/support/closing-line.ts"],
    // Real servers, engines and browsers on two cores: under CI one that fails is run once more, and named at the end when it passes then.
    retry: process.env.CI === "true" ? 1 : 0,
    // Under CI nothing may be left out: an `it.only` fails the run.
    allowOnly: process.env.CI !== "true",
  },
});
