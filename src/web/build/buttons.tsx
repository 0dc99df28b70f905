/** What a visitor who may can do with a build. */
import { type Build, isFinished } from "../../builds/build.ts";
import { ActionForm } from "../forms/action-form.tsx";
import type { Visitor } from "../login/visitor.ts";

export const BuildButtons = ({ build, visitor }: { build: Build; visitor: Visitor | undefined }) => {
  const address = `/builds/${build.number}`;
  if (!isFinished(build)) {
    return <ActionForm visitor={visitor} action={`${address}/cancel`} label="Cancel" look="danger" />;
  }
  const failed = build.steps.some(({ kind, state }) => kind === "run" && state !== "passed");
  return (
    <>
      <ActionForm visitor={visitor} action={`${address}/rebuild`} label="Rebuild" />
      {failed ? (
        <ActionForm
          visitor={visitor}
          action={`${address}/rebuild`}
          label="Rebuild what failed"
          fields={{ only: "failed" }}
        />
      ) : null}
    </>
  );
};
