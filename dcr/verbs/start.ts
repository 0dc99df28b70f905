/** `dcr FILE start` (O-144). */
import { bringUp } from "../bring-up.ts";
import { makeEverywhere } from "./make-everywhere.ts";
import type { Verb } from "./verb.ts";

export const start: Verb = {
  name: "start",
  summary: "create and start, and wait until each container is healthy; one that runs is left alone",
  takesDomain: "never",
  options: ["recreate"],
  usesGateways: false,
  run: (session) => makeEverywhere(session, bringUp),
};
