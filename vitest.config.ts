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
    // Under CI nothing may be left out: an `it.only` fails the run.
    allowOnly: process.env.CI !== "true",
  },
});
