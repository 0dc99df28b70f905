/** Variables for a build, as a person or a program writes them. */
import { z } from "zod";
import { splitWords } from "../../chat/words.ts";
import { envName } from "../../config/scalars.ts";
import { UserError } from "../../errors.ts";

const COUNT = 50;
const LENGTH = 4096;

export const Variables = z
  .record(
    envName,
    z
      .string()
      .max(LENGTH)
      // A variable cannot hold one.
      .regex(/^[^\0]*$/),
  )
  .refine((variables) => Object.keys(variables).length <= COUNT, { error: `at most ${COUNT} variables` });
export type Variables = z.infer<typeof Variables>;

/** `GREETING=hi NAME="a b"`, as in chat. @throws UserError for what is no variable. */
export function parseVariables(text: string): Variables {
  const split = splitWords(text);
  if (split.kind !== "words") throw new UserError("A quote among the variables is not closed.");
  const pairs = split.words.map((word) => {
    if (word.kind === "pair") return [word.key, word.value] as const;
    throw new UserError("Variables are written NAME=value, with a space between two of them.");
  });
  const variables = Variables.safeParse(Object.fromEntries(pairs));
  if (variables.success) return variables.data;
  throw new UserError(`The variables cannot be used: ${variables.error.issues[0]?.message ?? "they do not fit"}.`);
}
