/** The form that asks for a build: of one project where that is known, else of any. */
import { randomUUID } from "node:crypto";
import type { Project } from "../../config.ts";
import type { Visitor } from "../login/visitor.ts";
import { ActionForm } from "./action-form.tsx";
import { ProjectField } from "./project-field.tsx";

/** What was typed, to be shown again beside what is wrong with it. */
export interface ForceValues {
  readonly project?: string | undefined;
  readonly ref?: string | undefined;
  readonly params?: string | undefined;
}

interface ForceFormProps {
  readonly visitor: Visitor | undefined;
  /** One: it is not asked for. */
  readonly projects: readonly Pick<Project, "name" | "branch">[];
  readonly values?: ForceValues;
}

export const ForceForm = ({ visitor, projects, values = {} }: ForceFormProps) => {
  const [only] = projects.length === 1 ? projects : [];
  // Names this very form: pressed twice, it asks for one build.
  const fields = { once: randomUUID(), ...(only === undefined ? {} : { project: only.name }) };
  return (
    <ActionForm visitor={visitor} action="/builds" label="Build" look="main" fields={fields}>
      {only === undefined ? <ProjectField names={projects.map(({ name }) => name)} chosen={values.project} /> : null}
      <label>
        Branch, tag or commit
        <input name="ref" class="code" value={values.ref} placeholder={only?.branch} maxlength={255} size={24} />
      </label>
      <label>
        Variables, such as GREETING=hi
        <input name="params" class="code" value={values.params} maxlength={2000} size={24} />
      </label>
    </ActionForm>
  );
};
