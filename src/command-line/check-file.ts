/** `docker-ci check <file or folder>`: a pipeline's mistakes with their lines, or its plan as a table. Asks nothing of any server. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import { plainText } from "../builds/plain-text.ts";
import { ConfigError, describeError } from "../errors.ts";
import { isMissing } from "../missing.ts";
import { choosePipeline } from "../pipeline/choose.ts";
import { conditionText } from "../pipeline/condition.ts";
import { lanesOf } from "../pipeline/matrix.ts";
import { planBuild } from "../pipeline/plan.ts";
import { PIPELINE_FILE, type Pipeline, parsePipeline, type Step } from "../pipeline/schema.ts";
import { formatCount } from "../units.ts";

/** Somewhat more than any pipeline may have, so that a larger file is read no further and refused all the same. */
const READ_MAX_BYTES = 1024 ** 2;
const CELL_WIDTH = 64;
const LANES_TOLD = 8;

/** @param given a file, or a folder that holds one. @returns 0 for a pipeline that can be used, else 1. */
export async function checkFile(given: string, print: (text: string) => void): Promise<number> {
  try {
    const { file, pipeline } = await read(given);
    print(`✔ ${file}: ${planTable(pipeline)}`);
    return 0;
  } catch (error) {
    const message = error instanceof ConfigError ? error.message : `${given}: ${unreadable(error)}`;
    print(`✘ ${message.replaceAll("\r", " ").split("\n").map(plainText).join("\n")}\n`);
    if (basename(given) === "docker-ci.yml" && error instanceof ConfigError) {
      print("\nIf this is the configuration of docker-ci itself: docker-ci check, without a file, checks that.\n");
    }
    return 1;
  }
}

async function read(given: string): Promise<{ readonly file: string; readonly pipeline: Pipeline }> {
  if (!(await stat(given)).isDirectory()) return { file: given, pipeline: parsePipeline(await readText(given), given) };
  const file = join(given, PIPELINE_FILE);
  const source = await readText(file).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (source !== undefined) return { file, pipeline: parsePipeline(source, file) };
  const dockerfile = await readText(join(given, "Dockerfile")).catch(() => undefined /* not there, or no file */);
  const chosen = choosePipeline(undefined, new Map(dockerfile === undefined ? [] : [["Dockerfile", dockerfile]]));
  if (chosen.pipeline === undefined) throw new ConfigError(`${given}: ${chosen.reason}`, []);
  return { file: `${join(given, "Dockerfile")}, as there is no ${PIPELINE_FILE}`, pipeline: chosen.pipeline };
}

function readText(file: string): Promise<string> {
  return text(createReadStream(file, { end: READ_MAX_BYTES }));
}

function unreadable(error: unknown): string {
  return isMissing(error) ? "there is no such file or folder" : describeError(error);
}

/** How many steps and lanes, then a line for each step in the order in which they are told of. */
function planTable({ steps, matrix, labels }: Pipeline): string {
  // Of a build in which no condition leaves anything out: what it is that sets one off is not known here.
  const whole = { steps: steps.map((step): Step => ({ ...step, when: undefined })), matrix, labels };
  const plan = planBuild(whole, { branch: undefined, event: "chat", onlySteps: undefined });
  const lanes = matrix === undefined ? [] : lanesOf(matrix);
  const names = [...new Set(plan.steps.map(({ step }) => step.name))];
  const inOrder = names.flatMap((name) => steps.find((step) => step.name === name) ?? []);
  const rows = [
    ["step", "does", "begins", "when"],
    ...inOrder.map((step) => [step.name, does(step), begins(step, steps), condition(step, steps)].map(cell)),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    `  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
  const told = lanes.slice(0, LANES_TOLD).map((lane) =>
    Object.entries(lane)
      .map((pair) => pair.join("="))
      .join(" "),
  );
  const more = lanes.length > LANES_TOLD ? [`and ${lanes.length - LANES_TOLD} more`] : [];
  return [
    `${counted(steps.length, "step")}${matrix === undefined ? "" : ` in ${counted(lanes.length, "lane")}`}, ${plan.isParallel ? "side by side where they may" : "one after the other"}${labels.length === 0 ? "" : `, on a worker with ${labels.join(" and ")}`}`,
    "",
    ...table,
    ...(matrix === undefined ? [] : ["", `  lanes: ${[...told, ...more].join(" · ")}`]),
    "",
  ].join("\n");
}

function does(step: Step): string {
  if (step.kind === "build") return `builds ${step.context === "." ? "" : `${step.context}/`}${step.dockerfile}`;
  const services = Object.keys(step.services);
  const image = step.image.kind === "step" ? step.image.step : step.image.reference;
  return `runs in ${image}${services.length === 0 ? "" : ` with ${services.join(", ")}`}`;
}

function begins(step: Step, steps: readonly Step[]): string {
  if (step.needs === undefined) return steps.indexOf(step) === 0 ? "at once" : "after all above";
  const image = step.kind === "run" && step.image.kind === "step" ? [step.image.step] : [];
  const needs = [...new Set([...step.needs, ...image])];
  return needs.length === 0 ? "at once" : `after ${needs.join(", ")}`;
}

function condition(step: Step, steps: readonly Step[]): string {
  const own = step.when === undefined ? "" : conditionText(step.when);
  const image = step.kind === "run" && step.image.kind === "step" ? step.image.step : undefined;
  const isBound = steps.some(({ name, when }) => name === image && when !== undefined);
  return [...(own === "" ? [] : [own]), ...(isBound ? [`only with step ${image}`] : [])].join(", ");
}

function cell(text: string): string {
  const plain = plainText(text.replaceAll(/\s+/g, " "));
  return plain.length > CELL_WIDTH ? `${plain.slice(0, CELL_WIDTH - 1)}…` : plain;
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
}
