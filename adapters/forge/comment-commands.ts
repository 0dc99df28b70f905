/** Commands in a comment on a pull request: each on a line of its own, outside of quotations and code. */
import type { Commented } from "../../src/triggers/change.ts";
import type { ChangeOfRepository } from "./projects.ts";

const COMMAND = /^\/(test|retest|ok-to-test|cancel)[ \t]*$/;
const FENCE = /^ {0,3}(?:`{3,}|~{3,})/;

/** In the order in which they stand there, each once. */
export function commandsIn(comment: string): Commented["command"][] {
  const found = new Set<Commented["command"]>();
  let isCode = false;
  for (const text of comment.split(/\r?\n/)) {
    if (FENCE.test(text)) isCode = !isCode;
    const command = isCode ? undefined : COMMAND.exec(text)?.[1];
    if (command === "test" || command === "retest" || command === "ok-to-test" || command === "cancel")
      found.add(command);
  }
  return [...found];
}

/** What is answered to a comment without one. */
export const NO_COMMAND = "The comment has no /test, /retest, /ok-to-test or /cancel on a line of its own.";

/** A comment in GitHub's payload, which Gitea's follows. */
interface Said {
  readonly action: string;
  readonly issue: { readonly number: number };
  readonly comment: { readonly body: string };
  readonly sender: { readonly login: string };
}

/** What it asks for, or why nothing is done about it. */
export function readComment(
  { action, issue: { number }, comment, sender: { login: by } }: Said,
  {
    isOnPullRequest,
    isCollaborator,
  }: { readonly isOnPullRequest: boolean; readonly isCollaborator: boolean | undefined },
): readonly ChangeOfRepository[] | string {
  if (action !== "created") return "Only new comments are read.";
  if (!isOnPullRequest) return "Comments on issues are not read.";
  const commands = commandsIn(comment.body);
  if (commands.length === 0) return NO_COMMAND;
  return commands.map((command) => ({ kind: "comment", number, command, isCollaborator, by }));
}
