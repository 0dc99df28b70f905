/** The form that asks for a release, as `!release` does. */
import { randomUUID } from "node:crypto";
import type { Config } from "../../config.ts";
import { ActionForm } from "../forms/action-form.tsx";
import { ProjectField } from "../forms/project-field.tsx";
import type { Visitor } from "../login/visitor.ts";

/** What was typed, to be shown again beside what is wrong with it. */
export interface ReleaseValues {
  readonly project?: string | undefined;
  readonly version?: string | undefined;
  readonly ref?: string | undefined;
  readonly force?: boolean;
  readonly noLatest?: boolean;
}

interface RequestFormProps {
  readonly visitor: Visitor | undefined;
  readonly config: Pick<Config, "releases" | "projects">;
  readonly values?: ReleaseValues;
}

export const RequestForm = ({ visitor, config, values = {} }: RequestFormProps) => {
  const names = [...config.releases.keys()];
  const [only] = names.length === 1 ? names : [];
  // Names this very form: pressed twice, it asks for one release.
  const fields = { once: randomUUID(), ...(only === undefined ? {} : { project: only }) };
  const branch = only === undefined ? undefined : config.projects.get(only)?.branch;
  return (
    <ActionForm visitor={visitor} action="/releases" label="Ask for it" look="main" fields={fields}>
      {only === undefined ? <ProjectField names={names} chosen={values.project} /> : null}
      <label>
        {only === undefined ? "Version" : `Version of ${only}`}
        <input name="version" class="code" value={values.version} required maxlength={64} size={12} />
      </label>
      <label>
        Branch, tag or commit
        <input name="ref" class="code" value={values.ref} placeholder={branch} maxlength={255} size={20} />
      </label>
      <label class="check">
        <input type="checkbox" name="force" value="yes" checked={values.force} /> even below the last version (--force)
      </label>
      <label class="check">
        <input type="checkbox" name="no_latest" value="yes" checked={values.noLatest} /> latest stays where it is
        (--no-latest)
      </label>
    </ActionForm>
  );
};
