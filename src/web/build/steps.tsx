/** The steps of a build: those that are over, the one at work and those to come, with what each waits for; lanes beside each other. */
import { type Build, isFinished, type StepResult } from "../../builds/build.ts";
import { SIGNS, type Tone } from "../../chat/reply.ts";
import { stepIdOf, stepLabel } from "../../pipeline/plan.ts";
import type { RecordedPlan, RecordedStep } from "../../pipeline/plan-record.ts";
import { resourceWords } from "../../pipeline/resources.ts";
import { formatBytes, formatDuration } from "../../units.ts";

/** One step as the page shows it. */
interface Row {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly lane: Readonly<Record<string, string>> | undefined;
  readonly tone: Tone;
  readonly word: string;
  readonly took: string;
  readonly waitsFor: readonly string[];
  readonly remarks: readonly string[];
  /** What it and its worker used when it failed. */
  readonly used: string | undefined;
  readonly canRepeat: boolean;
}

export const Steps = ({ build, plan }: { build: Build; plan: RecordedPlan | undefined }) => {
  const rows = rowsOf(build, plan);
  if (rows.length === 0) return null;
  const lanes = [...new Set(rows.flatMap(({ lane }) => (lane === undefined ? [] : [laneName(lane)])))];
  const told = lanes.length > 1 ? rows.filter(({ tone, remarks }) => tone === "failed" || remarks.length > 0) : rows;
  const hasOrder = told.some(({ waitsFor }) => waitsFor.length > 0);
  return (
    <>
      <h2>Steps</h2>
      {lanes.length > 1 ? <Lanes rows={rows} lanes={lanes} /> : null}
      {told.length === 0 ? null : (
        <div class="scroll">
          <table class="steps stack">
            {lanes.length > 1 ? (
              <caption class="quiet">Steps that failed, left something or were left out</caption>
            ) : null}
            <thead>
              <tr>
                <th scope="col">Step</th>
                <th scope="col">State</th>
                <th scope="col" class="number">
                  Time
                </th>
                {hasOrder ? <th scope="col">Waits for</th> : null}
                <th scope="col">Meaning</th>
              </tr>
            </thead>
            <tbody>
              {told.map((row) => (
                <tr>
                  <th scope="row">{row.label}</th>
                  <td>
                    <RowState row={row} />
                  </td>
                  <td class="number">{row.took}</td>
                  {hasOrder ? (
                    <td class="quiet wide" data-label={row.waitsFor.length === 0 ? undefined : "waits for"}>
                      {row.waitsFor.join(", ")}
                    </td>
                  ) : null}
                  <td class="wide">
                    {row.remarks.join("; ")}
                    {row.canRepeat ? (
                      <>
                        {" "}
                        <a href={`/builds/${build.number}/repro?step=${encodeURIComponent(row.id)}`}>repeat it</a>
                      </>
                    ) : null}
                    {row.used === undefined ? null : <div class="quiet">{row.used}</div>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
};

/** What was not run has the open circle of what has not been run yet, in grey. */
const RowState = ({ row: { tone, word } }: { row: Row }) => (
  <span class={`state ${tone}`}>
    <span aria-hidden="true">{tone === "cancelled" ? SIGNS.queued : SIGNS[tone]}</span> {word}
  </span>
);

const Lanes = ({ rows, lanes }: { rows: readonly Row[]; lanes: readonly string[] }) => {
  const names = [...new Set(rows.map(({ name }) => name))];
  return (
    <div class="scroll">
      <table class="lanes">
        <caption class="quiet">Lanes of the matrix</caption>
        <thead>
          <tr>
            <th scope="col">Lane</th>
            {names.map((name) => (
              <th scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lanes.map((lane) => (
            <tr>
              <th scope="row">{lane}</th>
              {names.map((name) => {
                const row = rows.find((each) => each.name === name && laneName(each.lane ?? {}) === lane);
                return (
                  <td>
                    {row === undefined ? "" : <RowState row={row} />} <span class="quiet">{row?.took}</span>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

function rowsOf(build: Build, plan: RecordedPlan | undefined): Row[] {
  const results = new Map(build.steps.map((result) => [stepIdOf(result), result]));
  if (plan === undefined) return build.steps.map((result) => rowOf(build, result, undefined));
  const labels = new Map(plan.steps.map((step) => [step.id as string, stepLabel(step)]));
  const names = new Map(plan.steps.map(({ id, name }) => [id as string, name as string]));
  const now = build.state.kind === "running" ? build.state.step?.name : undefined;
  const atWork = plan.steps.find(({ id, name }) => name === now && !results.has(id))?.id;
  const { state } = build;
  const wasBegun = "startedAt" in state && state.startedAt !== undefined;
  const isReached = ({ needs }: RecordedStep) =>
    wasBegun && state.kind !== "failed" && needs.every((id) => !stopsOthers(results.get(id)) && results.has(id));
  const planned = plan.steps.map((step) => {
    const result = results.get(step.id);
    // A step waits for those of its own lane, which goes without saying beside its name.
    const waitsFor = step.needs.map((id) => names.get(id) ?? id);
    if (result === undefined)
      return comingRow(build, step, { isAtWork: step.id === atWork, waitsFor, wasReached: isReached(step) });
    const row = named(rowOf(build, result, waitsFor), labels);
    if (result.state !== "skipped" || result.meaning !== undefined) return row;
    const inTheWay = step.needs.filter((id) => stopsOthers(results.get(id))).map((id) => names.get(id) ?? id);
    return inTheWay.length === 0
      ? row
      : { ...row, remarks: [`${inTheWay.join(" and ")} did not pass`, ...row.remarks] };
  });
  // What is in the record and not in the plan is shown all the same.
  const unplanned = build.steps.filter((result) => !names.has(stepIdOf(result)));
  return [...planned, ...unplanned.map((result) => rowOf(build, result, undefined))];
}

/** A warning that ends with the id of a step, such as `tests.2`, ends with what people call it. */
function named(row: Row, labels: ReadonlyMap<string, string>): Row {
  const remarks = row.remarks.map((remark) => remark.replace(/(?<=step )\S+\.\d+$/, (id) => labels.get(id) ?? id));
  return { ...row, remarks };
}

/** Whether steps that wait for it are not run; one that the plan left out, and says why, is in nobody's way. */
function stopsOthers(result: StepResult | undefined): boolean {
  if (result === undefined || result.state === "passed") return false;
  return result.state === "skipped" ? result.meaning === undefined : result.allowed !== true;
}

function rowOf(build: Build, result: StepResult, waitsFor: readonly string[] | undefined): Row {
  const isSkipped = result.state === "skipped";
  return {
    id: stepIdOf(result),
    name: result.name,
    label: stepLabel(result),
    lane: result.lane,
    tone: result.state === "skipped" ? "cancelled" : result.state,
    word: isSkipped ? "skipped" : result.state === "errored" ? "could not run" : result.state,
    took: isSkipped ? "" : formatDuration(result.durationMs),
    waitsFor: waitsFor ?? [],
    remarks: remarksOf(result),
    used: result.resources && resourceWords(result.resources),
    canRepeat: waitsFor !== undefined && result.state === "failed" && build.revision !== undefined,
  };
}

interface Coming {
  readonly isAtWork: boolean;
  readonly waitsFor: readonly string[];
  /** Whether nothing stood in its way: where a build was ended from outside, it may have been at work. */
  readonly wasReached: boolean;
}

function comingRow(build: Build, step: RecordedStep, { isAtWork, waitsFor, wasReached }: Coming): Row {
  const isOver = isFinished(build);
  const isLeftOut = step.leftOut !== undefined;
  return {
    id: step.id,
    name: step.name,
    label: stepLabel(step),
    lane: step.lane,
    tone: isLeftOut || isOver ? "cancelled" : isAtWork ? "running" : "queued",
    word: isLeftOut ? "left out" : isOver ? (wasReached ? "not ended" : "not run") : isAtWork ? "running" : "to come",
    took: "",
    waitsFor,
    remarks: step.leftOut === undefined ? [] : [step.leftOut],
    used: undefined,
    canRepeat: false,
  };
}

function remarksOf(result: StepResult): string[] {
  const { meaning, allowed, quarantined, tries, flaky, warnings = [], artifacts = [] } = result;
  const kept = artifacts.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    meaning ?? "",
    quarantined === true ? "only tests in quarantine failed" : allowed === true ? "allowed to fail" : "",
    tries === undefined ? "" : `run ${tries} times`,
    flaky === true ? "flaky" : "",
    artifacts.length === 0
      ? ""
      : `${artifacts.length} ${artifacts.length === 1 ? "artifact" : "artifacts"}, ${formatBytes(kept)}`,
    ...warnings,
  ].filter((remark) => remark !== "");
}

function laneName(lane: Readonly<Record<string, string>>): string {
  return Object.entries(lane)
    .map(([variable, value]) => `${variable}=${value}`)
    .join(" ");
}
