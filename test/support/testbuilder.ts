/** A testbuilder of a test's own, on the real engine, and what it packs. */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { pino } from "pino";
import { extract } from "tar-stream";
import { connectDocker } from "../../adapters/docker/index.ts";
import { openTestbuilder, type Testbuilder, type TestbuilderOptions } from "../../adapters/testbuilder/index.ts";
import { BASE_IMAGE, never, readAll } from "./docker.ts";
import { removeVolume } from "./docker-volume.ts";

const runtime = connectDocker(undefined);

/** For one beside another: the same instance is the same container. */
export function testbuilderOptions(instance: string, repositories: readonly string[]): TestbuilderOptions {
  const log = pino({ enabled: false });
  return { runtime, baseImage: BASE_IMAGE, cacheVolume: `docker-ci-${instance}`, repositories, instance, log };
}

/** Warm, and with its cache gone when the test is over. */
export async function openTestbuilderForTest(
  repositories: readonly string[],
): Promise<Testbuilder & { readonly instance: string }> {
  const instance = `test-${randomBytes(5).toString("hex")}`;
  const testbuilder = openTestbuilder(testbuilderOptions(instance, repositories));
  await testbuilder.warm(never);
  return {
    ...testbuilder,
    instance,
    async [Symbol.asyncDispose]() {
      await testbuilder[Symbol.asyncDispose]();
      await removeVolume(`docker-ci-${instance}`);
    },
  };
}

/** The regular files of a tar, by name. */
export async function filesIn(tree: Readable): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const entries = extract();
  tree.on("error", (error) => entries.destroy(error)).pipe(entries);
  for await (const entry of entries) {
    const text = (await readAll(Readable.from(entry))).toString();
    if (entry.header.type === "file") files[entry.header.name] = text;
  }
  return files;
}
