/** Whose comments count: the webhook says so, or the forge is asked. */
import type { Project } from "../config.ts";
import { RuntimeError } from "../errors.ts";
import type { Commented } from "./change.ts";
import type { Scene } from "./scene.ts";

/**
 * Why somebody's comment does not count; undefined where it does.
 * @throws RuntimeError where the forge may tell later.
 */
export async function whyNoCollaborator(
  { forgeApis, log, signal }: Pick<Scene, "forgeApis" | "log" | "signal">,
  { name, forge }: Project,
  { by, userId, isCollaborator }: Commented,
): Promise<string | undefined> {
  const isNone = `${by} is no collaborator`;
  if (isCollaborator !== undefined) return isCollaborator ? undefined : isNone;
  const api = forge === undefined ? undefined : forgeApis?.(forge);
  if (forge === undefined || api === undefined) {
    return `nobody can tell whether ${by} is a collaborator: ${forge?.kind ?? "the forge"} has no token to ask with`;
  }
  try {
    return (await api.mayPush(forge, { name: by, id: userId }, signal)) ? undefined : isNone;
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.retryable) throw error;
    log.warn({ reason: error.message, project: name }, "a forge does not tell who is a collaborator");
    return `nobody can tell whether ${by} is a collaborator: ${error.message}`;
  }
}
