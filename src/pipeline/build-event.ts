/** What sets a build off. */
import type { z } from "zod";
import { choice } from "../config/scalars.ts";

/** As `when: { event: … }` names it. */
export const BuildEvent = choice(["push", "pull_request", "tag", "chat", "nightly", "api", "release"]);
export type BuildEvent = z.output<typeof BuildEvent>;
