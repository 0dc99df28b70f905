/** A step of `.docker-ci.yml` as it is written, key by key. */
import { z } from "zod";
import {
  amount,
  count,
  duration,
  envMapping,
  envName,
  flag,
  list,
  mapping,
  oneOrMany,
  scalar,
  section,
  text,
} from "../config/scalars.ts";
import { StepName } from "../names.ts";
import { BuildEvent } from "./build-event.ts";

const stepName = scalar(
  "a name of lower-case letters, digits, '_' and '-', at most 40",
  (value) => StepName.safeParse(value).data,
);

/** A path inside the repository: never absolute, never out of it. */
const repositoryPath = scalar("a path inside the repository", (value) =>
  value === "" || value.startsWith("/") || value.includes("\\") || value.split("/").includes("..") ? undefined : value,
);

const absolutePath = scalar("an absolute path in the container, such as /root/.npm", (value) =>
  value.startsWith("/") && !value.split("/").includes("..") ? value : undefined,
);

/** An image reference as `docker pull` takes it, or the name of a step. */
const imageReference = scalar("an earlier build step, or an image such as node:20", (value) =>
  /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/.test(value) ? value : undefined,
);

const buildKey = z.union(
  [
    repositoryPath.transform((context) => ({ context, dockerfile: "Dockerfile", args: {}, target: undefined })),
    section({
      context: repositoryPath.default("."),
      dockerfile: repositoryPath.default("Dockerfile"),
      args: envMapping.default({}),
      target: text("the name of a stage").optional(),
    }),
  ],
  { error: "a folder of the repository such as . or a mapping of context, dockerfile, args and target" },
);

const service = z.union(
  [
    imageReference.transform((image) => ({ image, ready: undefined, env: {} })),
    section({ image: imageReference, ready: text("a command").optional(), env: envMapping.default({}) }),
  ],
  { error: "an image such as redis:7, or a mapping of image, ready and env" },
);

const serviceName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a host name of lower-case letters, digits and '-'");

const condition = section({
  branch: oneOrMany(text("a branch name, or a pattern with *"), "branch names").optional(),
  event: oneOrMany(BuildEvent, "push, pull_request, tag, chat, nightly or api").optional(),
});

/** A step as it is written; `checkSteps` says which keys go together. */
export const writtenStep = section({
  name: stepName,
  build: buildKey.optional(),
  run: oneOrMany(text("a command"), "commands").optional(),
  image: imageReference.optional(),
  env: envMapping.optional(),
  services: mapping(serviceName, service, "a mapping of host names to services").optional(),
  tests: oneOrMany(text("a path or pattern"), "paths or patterns").optional(),
  coverage: text("a path").optional(),
  coverage_html: text("a path").optional(),
  artifacts: oneOrMany(text("a path or pattern"), "paths or patterns").optional(),
  cache: oneOrMany(absolutePath, "absolute paths").optional(),
  timeout: duration.optional(),
  when: condition.optional(),
  allow_failure: flag.default(false),
  needs: oneOrMany(stepName, "names of earlier steps").optional(),
  retry_failed: count(0, 1).optional(),
  fail_under: amount(0, 100).optional(),
  max_drop: amount(0, 100).optional(),
});
export type WrittenStep = z.output<typeof writtenStep>;

export const matrix = mapping(
  envName,
  list(text("text"), "values").min(1, "a list of at least one value"),
  "a mapping of variables to lists of values",
);
