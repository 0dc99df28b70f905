/**
 * What a worker on another machine may do in Redis: the rules of its ACL user. Found out by running one with `ACL LOG` watched; a
 * test runs a whole build with them.
 *
 * What it may write it may also forge: the records of builds, the news that they ended (it announces them in the step that ends
 * them), the line. It may not read what waits to be said, and nothing of people, sessions, links, releases, audit and tokens.
 */
import { createHash } from "node:crypto";

export const ACL_USER = "buildworker";

/** Read and written. Sets that a script names as its keys are among them also where it only writes. */
const BOTH: readonly string[] = [
  // BullMQ's own.
  "docker-ci:bull:*",
  "docker-ci:line:*",
  // Builds, and the sets by which they are found; not the number that the next one gets.
  "docker-ci:build:*",
  "docker-ci:builds",
  "docker-ci:builds:state:*",
  "docker-ci:builds:project:*",
  "docker-ci:builds:by:*",
  "docker-ci:builds:branches:*",
  "docker-ci:builds:people",
  "docker-ci:builds:finished",
  "docker-ci:flaky:*",
  "docker-ci:outbox:rooms",
  // Itself, and whose disk is full.
  "docker-ci:worker:*",
  "docker-ci:workers",
  "docker-ci:disks:full",
];
const READ: readonly string[] = [
  "docker-ci:cancel:*",
  "docker-ci:paused",
  "docker-ci:quarantine",
  "docker-ci:schema",
  "docker-ci:workers:draining",
  "docker-ci:workers:protocol",
];
const WRITTEN: readonly string[] = ["docker-ci:log:*", "docker-ci:outbox:room:*", "docker-ci:workers:heard"];
/** Publishing and subscribing are one right in Redis. */
const CHANNELS: readonly string[] = [
  "docker-ci:cancel",
  "docker-ci:events",
  "docker-ci:outbox:added",
  "docker-ci:workers:changed",
];
/** None that is for operators, and none that tells the names of keys. */
const COMMANDS: readonly string[] = [
  "-@all",
  "+@read",
  "+@write",
  "+@stream",
  "+@blocking",
  "+@scripting",
  "+@pubsub",
  "+@transaction",
  "+@connection",
  "-@admin",
  "-@dangerous",
  "-scan",
  "-randomkey",
  "-dbsize",
  "-script|flush",
  "-function",
  "-pubsub",
  "+info",
];

/** The rules without the name: for `ACL SETUSER <name> …`, or behind `user <name>` in an aclfile. Only the password's hash is in them. */
export function workerAclRules(password: string): string {
  return [
    "reset",
    "on",
    `#${createHash("sha256").update(password).digest("hex")}`,
    ...BOTH.map((key) => `~${key}`),
    ...READ.map((key) => `%R~${key}`),
    ...WRITTEN.map((key) => `%W~${key}`),
    ...CHANNELS.map((channel) => `&${channel}`),
    ...COMMANDS,
  ].join(" ");
}
