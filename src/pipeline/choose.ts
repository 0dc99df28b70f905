/** Which pipeline a revision is built with. */
import { defaultPipeline, PIPELINE_FILE, type Pipeline, parsePipeline } from "./schema.ts";

export type ChosenPipeline =
  | { readonly pipeline: Pipeline; readonly problems: readonly string[] }
  | { readonly pipeline: undefined; readonly problems: readonly string[]; readonly reason: string };

/**
 * The configuration's own pipeline, else the repository's file, else its Dockerfile. `problems` are lines for the log.
 * @param top the texts of the pipeline file and the Dockerfile at the top of the tree, where they exist.
 * @throws ConfigError for a file with mistakes.
 */
export function choosePipeline(configured: Pipeline | undefined, top: ReadonlyMap<string, string>): ChosenPipeline {
  const file = top.get(PIPELINE_FILE);
  const pipeline =
    configured ?? (file === undefined ? defaultPipeline(top.has("Dockerfile")) : parsePipeline(file, PIPELINE_FILE));
  if (pipeline === undefined) {
    return {
      pipeline,
      problems: [],
      reason: `the repository has neither ${PIPELINE_FILE} nor a Dockerfile at its top`,
    };
  }
  return { pipeline, problems: [] };
}
