/** The JSON schema of `.docker-ci.yml`, for editors: the shape of the file and what each key means. `docker-ci check` knows the rest. */
import { z } from "zod";
import { PIPELINE_FILE, PipelineSchema } from "./schema.ts";
import { COVERAGE_KEYS, RUN_KEYS } from "./step-rules.ts";
import { writtenStep } from "./written-step.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Draft 7 is what the editors' YAML servers know best. Ends in a newline, as a file does. */
export function pipelineJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(PipelineSchema, {
    target: "draft-7",
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      narrow(jsonSchema);
      if (zodSchema === writtenStep) Object.assign(jsonSchema, STEP_RULES);
    },
  });
  const named = {
    $schema,
    title: "docker-ci pipeline",
    description: `The pipeline of a build: ${PIPELINE_FILE}`,
    ...schema,
  };
  return `${JSON.stringify(named, undefined, 2)}\n`;
}

/** What the keys of a step demand of each other, as `step-rules.ts` has it. */
const STEP_RULES: JsonSchema = {
  if: { required: ["build"] },
  // biome-ignore lint/suspicious/noThenProperty: the keyword's name
  then: { properties: Object.fromEntries(RUN_KEYS.map((key) => [key, false])) },
  dependencies: Object.fromEntries(COVERAGE_KEYS.map((key) => [key, ["coverage"]])),
};

/** A scalar is read from text, numbers and switches; what was said of it as `meta` tells more exactly what a file has there. */
function narrow(schema: JsonSchema): void {
  if (schema.type !== undefined || schema.enum !== undefined) delete schema.anyOf;
  if (schema.oneOrMany !== true) return;
  const { items, minItems } = schema;
  for (const key of ["oneOrMany", "type", "items", "minItems"]) delete schema[key];
  const many: JsonSchema = { type: "array", ...(minItems === undefined ? {} : { minItems }) };
  if (items !== undefined) many.items = items;
  schema.anyOf = [...(typeof items === "object" && !Array.isArray(items) ? [items] : []), many];
}
