/** The example projects as git repositories in the data folder, so that a first start has something real to build. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { type Config, isPath, withExampleProjects } from "./config.ts";
import { ConfigError, describeError, RuntimeError } from "./errors.ts";
import { PACKAGE_FOLDER } from "./package.ts";

const run = promisify(execFile);

export const EXAMPLES = ["hello", "docker-registry", "docker"] as const;

/** The commits are the same on every machine: nothing of the machine's own git configuration is in them. */
const GIT_ENV = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "docker-ci",
  GIT_AUTHOR_EMAIL: "docker-ci@localhost",
  GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
  GIT_COMMITTER_NAME: "docker-ci",
  GIT_COMMITTER_EMAIL: "docker-ci@localhost",
  GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
};

/**
 * The configuration with the example projects where it has none of its own. Their repositories are made then, and where it names
 * one of them by its path, as `examples/docker-ci.yml` does. @throws RuntimeError when git is missing or fails.
 */
export async function withExamples(config: Config): Promise<Config> {
  const folder = examplesFolder(config.dataDir);
  const repositories = [...config.projects.values()].map(({ repo }) => repo);
  const areBuilt = repositories.length === 0 || repositories.some((repo) => isPath(repo) && isIn(folder, repo));
  return areBuilt ? withExampleProjects(config, await makeExampleRepositories(config.dataDir)) : config;
}

function examplesFolder(dataDir: string): string {
  return join(dataDir, "examples");
}

function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !/^(?:\.\.(?:\/|$)|\/)/.test(way);
}

/**
 * Makes what is missing; a repository that is there is left as it is, with whatever somebody committed to it.
 * @returns names to absolute paths. @throws RuntimeError when git is missing or fails.
 */
async function makeExampleRepositories(dataDir: string): Promise<ReadonlyMap<string, string>> {
  const folder = examplesFolder(dataDir);
  await mayWriteTo(dataDir, folder);
  const made = new Map<string, string>();
  for (const name of EXAMPLES) {
    const target = join(folder, name);
    if (!existsSync(join(target, ".git"))) await make(name, target);
    made.set(name, target);
  }
  return made;
}

/** These are the first that is written to the data folder, so whoever may not is told by them. */
async function mayWriteTo(dataDir: string, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const who = process.getuid === undefined ? "" : ` by the user ${process.getuid()}`;
    throw new ConfigError(
      "docker-ci cannot start.",
      [
        `data: ${dataDir} cannot be written${who} (${describeError(error)}); give it to them, or set another data: folder`,
      ],
      { cause: error },
    );
  }
}

async function make(name: string, target: string): Promise<void> {
  const source = join(PACKAGE_FOLDER, "examples", name);
  const draft = `${target}.draft`;
  const git = (...args: string[]): Promise<unknown> =>
    run("git", ["-C", draft, ...args], { env: { ...process.env, ...GIT_ENV } });
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await cp(join(source, "project"), draft, { recursive: true });
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", `${name}: an example project`);
    const broken = join(source, "broken");
    if (existsSync(broken)) {
      await git("checkout", "--quiet", "-b", "broken");
      await cp(broken, draft, { recursive: true });
      await git("commit", "--quiet", "--all", "--message", `${name}: one test fails here`);
      await git("checkout", "--quiet", "main");
    }
    await rename(draft, target);
  } catch (error) {
    throw new RuntimeError(`the example project ${name} could not be made`, { cause: error });
  }
}
