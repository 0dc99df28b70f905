/** The keys of a project that say what of its changes is built. */
import { describe, expect, test } from "vitest";
import type { Project } from "../../src/config.ts";
import { ProjectName } from "../../src/names.ts";
import { pollIntervalMs } from "../../src/triggers/poll-interval.ts";
import { configOf } from "../support/records.ts";

const A = ProjectName.parse("a");

function projectOf(keys: string): Project {
  const project = configOf(`projects: { a: { repo: /srv/a${keys === "" ? "" : `, ${keys}`} } }`).projects.get(A);
  if (project === undefined) throw new Error("no project");
  return project;
}

test("a project without them builds every branch and tag, whatever it changes", () => {
  expect(projectOf("")).toMatchObject({
    pollMs: undefined,
    branches: ["*"],
    tags: true,
    paths: [],
    pathsIgnore: [],
    debounceMs: undefined,
    cancelRunning: false,
    pullRequests: "ask",
  });
});

test("each of them, one in place of a list too", () => {
  const keys =
    'poll: off, branches: [main, "release/*"], tags: false, paths: "src/**", paths_ignore: ["*.md", "docs/{a,b}"], debounce: 10s, cancel_running: true';
  expect(projectOf(keys)).toMatchObject({
    pollMs: "off",
    branches: ["main", "release/*"],
    tags: false,
    paths: ["src/**"],
    pathsIgnore: ["*.md", "docs/{a,b}"],
    debounceMs: 10_000,
    cancelRunning: true,
  });
});

test.each([
  ["branches: [a b]", "a branch name, in which * stands for any characters"],
  [`paths: "${"{a,b}".repeat(8)}"`, "a path pattern of at most 1,000 characters"],
  ["paths_ignore: { docs: true }", "a list of path patterns"],
  ["debounce: 10", "a time such as 60s"],
  ["cancel_running: maybe", "true or false"],
  ["poll: 1s", "at least 5s, or off"],
])("%s is refused with what is allowed", (keys, allowed) => {
  expect(() => projectOf(keys)).toThrow(allowed);
});

describe("how often a repository is looked at", () => {
  const secret = "github: { webhook_secret: hunter2hunter2 }\n";
  const sites = "gitea: [{ url: https://git.example.org, webhook_secret: hunter2hunter2 }]\n";
  test.each([
    ["", "repo: /srv/a", 60_000],
    ["", "repo: https://github.com/ada/a", 60_000],
    [secret, "repo: https://github.com/ada/a", 600_000],
    [secret, "repo: https://git.example.org/ada/a", 60_000],
    [sites, "repo: https://git.example.org/ada/a, forge: gitea:git.example.org/ada/a", 600_000],
    [secret, "repo: https://github.com/ada/a, poll: 30s", 30_000],
    [secret, "repo: https://github.com/ada/a, poll: off", undefined],
  ])("%s%s", (top, keys, intervalMs) => {
    const config = configOf(`${top}projects: { a: { ${keys} } }`);
    const project = config.projects.get(A);
    expect(project && pollIntervalMs(config, project)).toBe(intervalMs);
  });
});
