/** The shape of an error in the API's document. Apart from error.ts, which a start loads, as what documents it is large. */
import { z } from "@hono/zod-openapi";
import { ERROR_CODES } from "./error.ts";

export const ApiError = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(Object.values(ERROR_CODES)),
      /** One sentence for people. */
      message: z.string(),
    }),
  })
  .openapi("Error", { description: "Why it could not be done: a word for programs, a sentence for people." });
