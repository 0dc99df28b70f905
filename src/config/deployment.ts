/** `deployment:` — which of several docker-ci this one is; they differ by configuration alone (O-130). */
import type { z } from "zod";
import { choice } from "./scalars.ts";

export const deployment = choice(["production", "staging", "local"]);
/** A bucket belongs to the deployment that wrote there first; another one is refused. */
export type Deployment = z.output<typeof deployment>;
