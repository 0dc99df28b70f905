/** The projects that are built from a repository: several may be, each with a pipeline of its own. */
import type { Config, ForgeKind } from "../../src/config.ts";
import type { Heard } from "../../src/forge.ts";
import type { ProjectName } from "../../src/names.ts";
import type { Change } from "../../src/triggers/change.ts";
import { refused } from "./payload.ts";

/** A change before it is known whose it is. */
export type ChangeOfRepository = Change extends infer One ? (One extends Change ? Omit<One, "project"> : never) : never;

export interface At {
  readonly kind: ForgeKind;
  /** Of the forges whose secret it was signed with; GitHub needs none. */
  readonly hosts: readonly string[];
  /** `owner/name`; forges do not tell two apart by case. */
  readonly repository: string;
}

/** The changes of every project of the repository; refused where there is none, so that whoever set the hook up sees it. */
export function changesOf(
  { projects }: Pick<Config, "projects">,
  { kind, hosts, repository }: At,
  delivery: { readonly id: string; readonly signature?: string },
  changes: readonly ChangeOfRepository[],
): Heard {
  const wanted = repository.toLowerCase();
  const names = [...projects.values()].flatMap(({ name, forge }): ProjectName[] => {
    if (forge?.kind !== kind || `${forge.owner}/${forge.name}`.toLowerCase() !== wanted) return [];
    return forge.kind === "github" || hosts.includes(forge.host) ? [name] : [];
  });
  if (names.length === 0) return refused(404, `No project here is built from ${repository}.`);
  return {
    kind: "changes",
    delivery: delivery.id,
    ...(delivery.signature !== undefined && { signature: delivery.signature.toLowerCase() }),
    changes: names.flatMap((project) => changes.map((change): Change => ({ ...change, project }))),
  };
}
