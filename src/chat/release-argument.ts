/** A release as people name it: `R7`, `r7` or `7`. */
import { z } from "zod";
import { ReleaseNumber } from "../releases/release.ts";

export const ReleaseArgument = z
  .string()
  .regex(/^[Rr]?[1-9]\d{0,14}$/, "a release's number, such as R7")
  .transform((text) => ReleaseNumber.parse(text.replace(/^r/i, "")));
