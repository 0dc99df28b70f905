/** The image docker-ci/docker-ci as it is now, made from the base that needs no registry. */
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { FolderTakenError, lockFolder, watchHolder } from "../../src/folder-lock.ts";
import { PACKAGE_FOLDER, VERSION } from "../../src/package.ts";
import { BASE_IMAGE } from "./docker.ts";

const run = promisify(execFile);
const LOCK = "docker-ci-test-image";
/** Two `npm ci` and Debian's packages, on a machine where nothing of it is there yet. */
export const IMAGE_BUILDING_MS = 400_000;

/**
 * Builds it, one test file at a time: who comes second finds every layer there. It is not removed afterwards, so that the next run
 * finds what has not changed since; what it takes the place of goes.
 * @returns its name.
 */
export async function buildImage(): Promise<string> {
  const image = "docker-ci/docker-ci:test";
  await using _alone = await takeTurns();
  const before = await idOf(image);
  const args = ["--build-arg", `BASE=${BASE_IMAGE}`, "--build-arg", `VERSION=${VERSION}`];
  await run("docker", ["build", "-t", image, ...args, PACKAGE_FOLDER], { maxBuffer: 64 * 1024 ** 2 });
  // Refused where a container of another test runs it still.
  if (before !== undefined && before !== (await idOf(image)))
    await run("docker", ["image", "rm", before]).catch(() => 0);
  return image;
}

async function takeTurns(): Promise<AsyncDisposable> {
  for (;;) {
    try {
      return await lockFolder(tmpdir(), LOCK, "the image is being built");
    } catch (error) {
      if (!(error instanceof FolderTakenError)) throw error;
      await watchHolder(tmpdir(), LOCK).gone;
    }
  }
}

async function idOf(image: string): Promise<string | undefined> {
  return run("docker", ["image", "inspect", "-f", "{{.Id}}", image]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
