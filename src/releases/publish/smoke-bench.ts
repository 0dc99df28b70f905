/** What a smoke test runs on: for each of its images one with the files of the release in it, and the steps in these images. */
import { PassThrough, pipeline as pipe, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { SMOKE_IMAGE } from "../../config/releases.ts";
import type { SmokeStep } from "../../config.ts";
import { StepName } from "../../names.ts";
import { type Pipeline, toSteps } from "../../pipeline/schema.ts";
import type { CollectedFile } from "./collect.ts";

/** Where the steps find the files, by the names under which they will be published. */
const FOLDER = "/release";

/** Each image once, with the files in it; then the steps, in those images. The Dockerfiles are by their names. */
export function benchOf(steps: readonly SmokeStep[]): { pipeline: Pipeline; dockerfiles: Map<string, string> } {
  const images = [...new Set(steps.map(({ image }) => image))];
  const nameOf = (image: string): StepName => StepName.parse(`${SMOKE_IMAGE}${images.indexOf(image) + 1}`);
  const built = images.map((image) => ({ name: nameOf(image), image }));
  return {
    dockerfiles: new Map(built.map(({ name, image }) => [name, `FROM ${image}\nCOPY release ${FOLDER}\n`])),
    pipeline: {
      steps: toSteps([
        ...built.map(({ name }) => ({
          name,
          build: { context: ".", dockerfile: name, args: {}, target: undefined },
          allow_failure: false,
        })),
        ...steps.map((step) => ({ ...step, image: nameOf(step.image), allow_failure: false })),
      ]),
      matrix: undefined,
      labels: [],
    },
  };
}

/** The tree that these images are built from. */
export function packFiles(dockerfiles: ReadonlyMap<string, string>, files: readonly CollectedFile[]): Readable {
  const tar = pack();
  const out = pipe(tar, new PassThrough(), () => {
    // The reader of the returned stream gets the error.
  });
  const write = async (): Promise<void> => {
    for (const [name, text] of dockerfiles) tar.entry({ name }, text);
    for (const { name, bytes, open } of files) {
      // What a build left has lost whether it was a program.
      const header = { name: `release/${name}`, size: bytes, mode: 0o555 };
      const content = await open();
      await pipeline(Buffer.isBuffer(content) ? Readable.from([content]) : content, tar.entry(header));
    }
    tar.finalize();
  };
  write().catch((error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  return out;
}
