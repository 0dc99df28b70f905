/** The buttons of a build: what can be done with one in its state. */
import { type Build, isFinished } from "../../builds/build.ts";
import type { Visitor } from "../login/visitor.ts";
import { ActionForm } from "./action-form.tsx";

export const BuildActions = ({ build, visitor }: { build: Build; visitor: Visitor | undefined }) => {
  const at = `/builds/${build.number}`;
  if (!isFinished(build)) return <ActionForm visitor={visitor} action={`${at}/cancel`} label="Cancel" look="danger" />;
  const hasFailed = build.steps.some(({ kind, state }) => kind === "run" && state !== "passed");
  return (
    <>
      <ActionForm visitor={visitor} action={`${at}/rebuild`} label="Rebuild" />
      {hasFailed ? (
        <ActionForm visitor={visitor} action={`${at}/rebuild`} label="Rebuild failed" fields={{ only: "failed" }} />
      ) : null}
    </>
  );
};
