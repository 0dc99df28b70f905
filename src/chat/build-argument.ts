/** A build as people name it: `43` or `#43`. */
import { z } from "zod";
import { BuildNumber } from "../names.ts";

export const BuildArgument = z
  .string()
  .regex(/^#?[1-9]\d{0,14}$/, "a build's number, such as 43")
  .transform((text) => BuildNumber.parse(text.replace("#", "")));
