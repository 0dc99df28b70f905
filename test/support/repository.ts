/** Small git repositories for tests. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes or extends a repository with these files as one commit on `branch`; gives the commit's sha. */
export async function commitFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  { branch = "main", message = "a change" }: { branch?: string; message?: string } = {},
): Promise<string> {
  const git = async (...args: string[]): Promise<string> => {
    const identity = ["-c", "user.name=docker-ci", "-c", "user.email=docker-ci@localhost"];
    return (await run("git", ["-C", folder, ...identity, ...args])).stdout.trim();
  };
  await mkdir(folder, { recursive: true });
  await git("init", "--quiet", `--initial-branch=${branch}`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message", message);
  return git("rev-parse", "HEAD");
}
