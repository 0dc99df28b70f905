/** `dcr FILE create` (O-143). */
import { make } from "../bring-up.ts";
import { makeEverywhere } from "./make-everywhere.ts";
import type { Verb } from "./verb.ts";

export const create: Verb = {
  name: "create",
  summary: "make each container where it is not there yet; an image that is not there is pulled",
  takesDomain: "never",
  options: ["recreate"],
  usesGateways: false,
  run: (session) => makeEverywhere(session, make),
};
