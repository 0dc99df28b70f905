/** As much of a pipeline as the rules between its keys need, whatever else is wrong with it: so all mistakes are told at once. */
import { z } from "zod";

const texts = z.array(z.string().catch(""));

const OutlineStep = z
  .looseObject({
    name: z.string().optional().catch(undefined),
    image: z.string().optional().catch(undefined),
    needs: texts.optional().catch([]),
  })
  .catch({});
export type OutlineStep = z.output<typeof OutlineStep>;

export const Outline = z.object({
  steps: z.array(OutlineStep).catch([]),
  matrix: z.record(z.string(), z.array(z.unknown()).catch([])).optional().catch(undefined),
});
export type Outline = z.output<typeof Outline>;
