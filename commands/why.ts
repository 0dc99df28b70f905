/** `!why`: the few lines that explain how a build ended, whether it was seen before, and who may have done it. */
import { z } from "zod";
import { type Build, type FinishedBuild, isFinished } from "../src/builds/build.ts";
import { buildLine, buildUrl, SHORT_SHA } from "../src/builds/describe.ts";
import { BuildArgument } from "../src/chat/build-argument.ts";
import { defineCommand } from "../src/chat/command.ts";
import { line } from "../src/chat/reply.ts";
import type { Incidents } from "../src/incidents/incidents.ts";
import { resourceWords } from "../src/pipeline/resources.ts";
import type { Explanation } from "../src/results/summary.ts";
import { explain } from "../src/why/explain.ts";
import { sameFailure, sameFailureWords } from "../src/why/same-failure.ts";
import { suspectsFirst } from "../src/why/suspects.ts";
import { explanationWords } from "../src/why/words.ts";

/** Among so many builds of the project the same failure is looked for. */
const HISTORY = 100;
const SUSPECTS_SHOWN = 3;

export const why = defineCommand({
  name: "why",
  summary: "Why a build did not pass: the line that explains it, where it was seen before, and who is suspected.",
  examples: ["!why 43"],
  args: z.strictObject({ build: BuildArgument }),
  async run({ args, builds, incidents, openLog, config, clock }) {
    const build = await builds.get(args.build);
    if (!isFinished(build) || build.state.kind === "passed" || build.state.kind === "cancelled") {
      return { lines: [buildLine(build, config.url, clock.now())] };
    }
    // Records from before explanations were kept have only their log.
    const explanation = build.results?.explanation ?? (await explain(build, await openLog(build.number)));
    const url = buildUrl(config.url, build.number);
    const link = explanation.logLine === undefined ? `${url}/log` : `${url}#L${explanation.logLine}`;
    const known = sameFailure(explanation, await builds.latest(HISTORY, build.project), build.number);
    const isOurs = build.state.kind === "errored";
    const said = `${headOf(build, explanation)}: ${isOurs ? explanation.line : explanationWords(explanation)}`;
    const beside = [
      moreTests(build),
      isOurs ? "not your change" : "",
      used(build, explanation),
      sameFailureWords(known),
      ...(isOurs ? [] : await suspicion(incidents, build, explanation)),
    ];
    const { excerpt } = explanation;
    const isSaid = excerpt.every((text) => said.includes(text.trim()));
    return {
      lines: [line("info", [said]), line("info", beside, link)],
      ...(isSaid ? {} : { verbatim: excerpt }),
    };
  },
});

/** `#43 step tests, exit 1`; without what ended the step where the explanation says it again. */
function headOf(build: FinishedBuild, { step, line: explained }: Explanation): string {
  const name = `#${build.number}`;
  if (build.state.kind === "errored") return `${name} could not run`;
  if (build.state.kind !== "failed") return name;
  const meaning = build.steps.find((each) => each.name === step && each.state === "failed")?.meaning;
  const isRepeated = meaning !== undefined && explained.includes(meaning);
  if (step === undefined) return `${name} failed`;
  return isRepeated ? `${name} step ${step}` : `${name} ${build.state.reason}`;
}

function moreTests(build: FinishedBuild): string {
  const failed =
    build.steps.find(({ state, tests }) => state === "failed" && (tests?.failed ?? 0) > 0)?.tests?.failed ?? 0;
  return failed < 2 ? "" : `and ${failed - 1} more failing ${failed === 2 ? "test" : "tests"}`;
}

/** Where it may be what the step or its machine had too little of. */
function used(build: FinishedBuild, { kind, step }: Explanation): string {
  if (kind !== "time" && kind !== "memory") return "";
  const resources = build.steps.find(({ name, state }) => name === step && state === "failed")?.resources;
  return resources === undefined ? "" : resourceWords(resources);
}

/** `bob 3f2c9aa touched registry/handlers/blobupload.go`; where nobody touched what failed, all that came in since it was good. */
async function suspicion(incidents: Incidents, build: Build, { files }: Explanation): Promise<string[]> {
  const open = await incidents.open();
  const incident = open.find(({ project, branch }) => project === build.project && branch === build.revision?.ref);
  if (incident === undefined || build.number < incident.firstBad.number) return [];
  const ranked = suspectsFirst(incident.suspects, files);
  const named = ({ suspect }: (typeof ranked)[number]): string =>
    `${suspect.author} ${suspect.sha.slice(0, SHORT_SHA)}`;
  const near = ranked.filter(({ touched }) => touched !== undefined).slice(0, SUSPECTS_SHOWN - 1);
  if (near.length > 0) return near.map((each) => `${named(each)} touched ${each.touched}`);
  const good = incident.lastGood === undefined ? "" : `was good at #${incident.lastGood.number}`;
  if (ranked.length === 0) return [good];
  const more = ranked.length > SUSPECTS_SHOWN ? ` and ${ranked.length - SUSPECTS_SHOWN} more` : "";
  return [good, `suspects: ${ranked.slice(0, SUSPECTS_SHOWN).map(named).join(", ")}${more}`];
}
