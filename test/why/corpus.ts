/** The failing logs of test/fixtures/why, each with how its build ended, as its record would have it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { StepResult } from "../../src/builds/build.ts";
import type { EndedBuild } from "../../src/why/explain.ts";
import { ago } from "../support/records.ts";

const CORPUS = join(import.meta.dirname, "../fixtures/why");

export interface FailingCase {
  /** `go/panic` */
  readonly name: string;
  readonly log: string;
  /** What the explanation must contain. */
  readonly expected: string;
  readonly build: EndedBuild;
}

export function failingCases(): FailingCase[] {
  return readdirSync(CORPUS, { withFileTypes: true })
    .filter((kind) => kind.isDirectory() && kind.name !== "toolbox")
    .flatMap((kind) => readdirSync(join(CORPUS, kind.name)).map((each) => `${kind.name}/${each}`))
    .map((name) => {
      const read = (file: string): string => readFileSync(join(CORPUS, name, file), "utf8");
      const log = read("log");
      return { name, log, expected: read("expected").trim(), build: endOf(log) };
    });
}

/** What docker-ci's own lines in a log say of its end. */
function endOf(log: string): EndedBuild {
  const times = { startedAt: ago(60), finishedAt: ago(0) };
  const broken = /^── could not go on: (.+)$/m.exec(log)?.[1];
  if (broken !== undefined) {
    const [reason = ""] = broken.split(/(?<=\)): /);
    return { state: { kind: "errored", ...times, reason, tries: 2 }, steps: [] };
  }
  const steps = [...log.matchAll(/^(?:.+ │ )?── step (.+?) (passed|failed) in \S+(?:: (.*))?$/gm)].map(
    ([, label = "", state, meaning]) => {
      const [name, ...values] = label.split(" ");
      const lane = Object.fromEntries(values.map((value) => value.split("=")));
      const exit = /^exit (\d+)/.exec(meaning ?? "") ?? /with exit code (\d+)$/.exec(meaning ?? "");
      const kind = log.split("\n").some((text) => text.includes(`: ${label} · `) && text.includes("· docker build"));
      return StepResult.parse({
        name,
        ...(values.length > 0 && { lane }),
        kind: kind ? "build" : "run",
        state,
        durationMs: 1_000,
        ...(exit !== null && { exitCode: Number(exit[1]) }),
        ...(meaning && { meaning }),
      });
    },
  );
  const failed = steps.find(({ state }) => state === "failed");
  return { state: { kind: "failed", ...times, reason: `step ${failed?.name}, ${failed?.meaning}` }, steps };
}
