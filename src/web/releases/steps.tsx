/** The steps of publishing: those that are done, the one at work and those to come. */
import type { Tone } from "../../chat/reply.ts";
import { type PublishStep, type Release, releaseName, stepsOf } from "../../releases/release.ts";
import { Sign } from "../shell.tsx";

/** Each in words, since their names are short. */
const MEANING: Readonly<Record<PublishStep, string>> = {
  check: "the approvals and the revision, once more",
  build: "that revision, with its tests",
  collect: "the files, their sums and the manifest",
  "smoke-test": "the files that will be published, tried",
  sign: "the sums and the manifest",
  upload: "to the bucket, beside what is there",
  verify: "read back, sums and signature compared",
  latest: "moved, in one step",
  pointers: "what follows it in the bucket",
  tag: "the revision in git, and the forge's release",
  announce: "said in the rooms",
};

export const PublishSteps = ({ release }: { release: Release }) => {
  const { plan, state } = release;
  if (state.kind !== "publishing" && state.kind !== "published" && state.kind !== "failed") return null;
  const steps = stepsOf(plan);
  const at = state.kind === "published" ? steps.length : steps.indexOf(state.step);
  const now: [Tone, string] = state.kind === "failed" ? ["failed", "failed"] : ["running", "running"];
  return (
    <>
      <h2>Steps</h2>
      <ol class="plain publish-steps">
        {steps.map((step, index) => {
          const [tone, word]: [Tone, string] =
            index < at
              ? ["passed", "done"]
              : index === at
                ? now
                : state.kind === "failed"
                  ? ["cancelled", "not done"]
                  : ["queued", "to come"];
          return (
            <li>
              <strong>{step}</strong> <Sign tone={tone} word={word} /> <span class="quiet">{MEANING[step]}</span>
              {step === "smoke-test" && index <= at ? (
                <>
                  {" "}
                  <a href={`/releases/${releaseName(release)}/log`}>log</a>
                </>
              ) : null}
            </li>
          );
        })}
      </ol>
    </>
  );
};
