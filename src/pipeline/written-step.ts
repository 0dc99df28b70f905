/** A step of `.docker-ci.yml` as it is written, key by key; what is said of a key here is what editors show. */
import { z } from "zod";
import {
  amount,
  count,
  duration,
  durationOrOff,
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

/** How a text of a file looks to an editor; a number may stand for one. */
const TEXT = { type: ["string", "number"], minLength: 1 } as const;
const LIKE = (pattern: RegExp) => ({ ...TEXT, pattern: pattern.source });
/** One entry may stand for a list of one. */
const MANY = { oneOrMany: true } as const;

const DURATION = "([0-9]{1,9}(\\.[0-9]{1,3})?(ms|[smhdw]))+";

const STEP_NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/;
const stepName = scalar(
  "a name of lower-case letters, digits, '_' and '-', at most 40",
  (value) => StepName.safeParse(value).data,
).meta(LIKE(STEP_NAME));

/** What a path inside the repository is, in words. */
export const PATH_ALLOWED = "a path inside the repository";

/** Never absolute, never out of it, and in one line of a log. */
export function isRepositoryPath(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !/[\\\p{Cc}]/u.test(path) && !path.split("/").includes("..");
}

const repositoryPath = scalar(PATH_ALLOWED, (value) => (isRepositoryPath(value) ? value : undefined)).meta(
  LIKE(/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\\]+$/),
);

const absolutePath = scalar("an absolute path in the container, such as /root/.npm", (value) =>
  value.startsWith("/") && isRepositoryPath(`.${value}`) ? value : undefined,
).meta({ ...LIKE(/^\/(?!(.*\/)?\.\.(\/|$))/), type: "string" });

const IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,254}$/;
/** A variable of the matrix may stand anywhere in it. */
const IMAGE_WITH_VARIABLES =
  /^(?![._:/@-])([A-Za-z0-9._:/@-]|\$[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\}){1,255}$/;

/** What an image is, in words. */
export const IMAGE_ALLOWED = "an image such as node:20";

/** As `docker pull` takes it. */
export function isImageReference(reference: string): boolean {
  return IMAGE.test(reference);
}

/** An image reference, or the name of a step. */
const imageReference = scalar(`an earlier build step, or ${IMAGE_ALLOWED}`, (value) =>
  IMAGE_WITH_VARIABLES.test(value) ? value : undefined,
).meta(LIKE(IMAGE_WITH_VARIABLES));

const buildKey = z.union(
  [
    repositoryPath.transform((context) => ({ context, dockerfile: "Dockerfile", args: {}, target: undefined })),
    section({
      context: repositoryPath.default(".").describe("The folder whose files the Dockerfile may use; default: the top."),
      dockerfile: repositoryPath.default("Dockerfile").describe("The Dockerfile, seen from the context."),
      args: envMapping.default({}).describe("Values for ARG in the Dockerfile; those of a matrix are given too."),
      target: text("the name of a stage").meta(TEXT).optional().describe("The stage to build; default: the last."),
    }),
  ],
  { error: "a folder of the repository such as . or a mapping of context, dockerfile, args and target" },
);

const service = z.union(
  [
    imageReference.transform((image) => ({ image, ready: undefined, env: {} })),
    section({
      image: imageReference.describe("The image to run."),
      ready: text("a command")
        .meta(TEXT)
        .optional()
        .describe("A command inside the service that succeeds when it can be used."),
      env: envMapping.default({}).describe("Variables of the service."),
    }),
  ],
  { error: "an image such as redis:7, or a mapping of image, ready and env" },
);

const serviceName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a host name of lower-case letters, digits and '-'");

/** What git allows in a branch's name, and `*`. */
const BRANCH_PATTERN = /^[^\p{C}\s~^:?[\\]{1,255}$/u;
const branchPattern = scalar("a branch name, or a pattern with *", (value) =>
  BRANCH_PATTERN.test(value) ? value : undefined,
).meta(TEXT);

const pattern = scalar("a path or pattern", (value) =>
  /^\P{Cc}+$/u.test(value.trim()) ? value.trim() : undefined,
).meta(TEXT);

const condition = section({
  branch: oneOrMany(branchPattern, "branch names")
    .refine((patterns) => patterns.length > 0, "at least one branch name")
    .meta({ ...MANY, minItems: 1 })
    .optional()
    .describe("Only on these branches; * stands for any characters, slashes too."),
  event: oneOrMany(BuildEvent, "push, pull_request, tag, chat, nightly, api or release")
    .refine((events) => events.length > 0, "at least one of push, pull_request, tag, chat, nightly, api and release")
    .meta({ ...MANY, minItems: 1 })
    .optional()
    .describe("Only when this set the build off."),
});

/** A step as it is written; `checkPipeline` says which keys go together. */
export const writtenStep = section({
  name: stepName.describe("Names the step; a later Dockerfile may say FROM <name>."),
  build: buildKey.optional().describe("The folder of a Dockerfile to build an image from, or a mapping."),
  run: oneOrMany(text("a command").meta(TEXT), "commands")
    .refine((commands) => commands.length > 0, "at least one command")
    .meta({ ...MANY, minItems: 1 })
    .optional()
    .describe("Commands, run by sh -e as one script; default: the image's own command."),
  image: imageReference
    .optional()
    .describe("An earlier build step or any image; default: the last image built. $NAME is a variable of the matrix."),
  env: envMapping.optional().describe("Variables of this step."),
  services: mapping(serviceName, service, "a mapping of host names to services")
    .optional()
    .describe("Containers beside this step, which finds them by these names."),
  tests: oneOrMany(pattern, "paths or patterns")
    .meta(MANY)
    .optional()
    .describe("Test reports: JUnit XML or go test -json."),
  coverage: pattern.optional().describe("The coverage report: lcov, Cobertura, Clover, Istanbul JSON or a Go profile."),
  coverage_html: text("a path").meta(TEXT).optional().describe("A folder with the project's own HTML report."),
  artifacts: oneOrMany(pattern, "paths or patterns").meta(MANY).optional().describe("Files to keep with the build."),
  cache: oneOrMany(absolutePath, "absolute paths")
    .meta(MANY)
    .optional()
    .describe("Folders of the container kept from one build to the next, by project and branch."),
  timeout: duration
    .meta({ ...LIKE(new RegExp(`^${DURATION}$`)), type: "string" })
    .optional()
    .describe("How long it may take, such as 10m; default: as long as the build may."),
  idle: durationOrOff
    .meta({ ...LIKE(new RegExp(`^(off|${DURATION})$`)), type: "string" })
    .optional()
    .describe("How long it may print nothing, such as 5m, or off; default: what the project's limits say, or 20m."),
  when: condition
    .optional()
    .describe("Conditions on the build; all that are given must hold, else the step is left out."),
  allow_failure: flag
    .meta({ type: "boolean" })
    .default(false)
    .describe("true: its failure is shown and does not fail the build."),
  needs: oneOrMany(stepName, "names of steps")
    .meta(MANY)
    .optional()
    .describe(
      "The steps it waits for, [] for none; default: all before it. The image it runs in is waited for anyway.",
    ),
  retry_failed: count(0, 1)
    .meta({ enum: [0, 1] })
    .optional()
    .describe("1: when it fails it is run once more, to tell flaky tests from broken ones."),
  fail_under: percentage().optional().describe("Fails the step when less than this much is covered, in percent."),
  max_drop: percentage()
    .optional()
    .describe("Fails the step when coverage falls by more than this, in percentage points."),
});
export type WrittenStep = z.output<typeof writtenStep>;

function percentage() {
  return amount(0, 100).meta({ type: "number", minimum: 0, maximum: 100 });
}

const VALUE = /^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u;
/** It stands in labels of the log and of the chat. */
const matrixValue = scalar("text of one line, at most 100 characters", (value) =>
  VALUE.test(value.trim()) ? value.trim() : undefined,
);

const matrixName = envName.max(40, "a name of at most 40 characters");

export const matrix = mapping(
  matrixName,
  list(matrixValue, "values").min(1, "a list of at least one value"),
  "a mapping of variables to lists of values",
).describe("Variables to lists of values: the steps run once for each combination, side by side.");
