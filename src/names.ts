/** The branded names that the core trusts, each parsed once where it comes in. */
import { z } from "zod";

/** A project's key in the configuration; it stands in Redis keys, image tags and addresses, hence the narrow alphabet. */
export const ProjectName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "lower-case letters, digits, '.', '_' and '-', at most 64")
  .brand<"ProjectName">();
export type ProjectName = z.infer<typeof ProjectName>;

/** The number of a build: global, counted from 1, never reused. */
export const BuildNumber = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).brand<"BuildNumber">();
export type BuildNumber = z.infer<typeof BuildNumber>;

/** A whole commit name, SHA-1 or SHA-256. */
export const Sha = z
  .string()
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/)
  .brand<"Sha">();
export type Sha = z.infer<typeof Sha>;

/**
 * What a person may name to be built: a branch, a tag or a commit. Refuses what git refuses in a ref name, and a leading
 * dash, which git would read as an option (git-check-ref-format(1)).
 */
export const GitRef = z
  .string()
  .min(1, "a branch, tag or commit name")
  .max(255, "a branch, tag or commit name")
  .regex(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: git forbids exactly these
    /^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)))[^\x00-\x20\x7f~^:?*[\\]+(?<![/.])$/,
    "a branch, tag or commit name",
  )
  .brand<"GitRef">();
export type GitRef = z.infer<typeof GitRef>;

/** The name of a step: it becomes part of container and image names. */
export const StepName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, "lower-case letters, digits, '_' and '-', at most 40")
  .brand<"StepName">();
export type StepName = z.infer<typeof StepName>;

/** One step of one lane of a build: the step's name, and in a matrix the lane's number behind it (`tests.2`). */
export const StepId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,39}(\.[1-9]\d{0,2})?$/)
  .brand<"StepId">();
export type StepId = z.infer<typeof StepId>;

/** A chat network's name in the configuration (`libera`, `work`), or `console`. */
export const NetworkName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "lower-case letters, digits, '_' and '-', at most 32")
  .brand<"NetworkName">();
export type NetworkName = z.infer<typeof NetworkName>;

/** Stands where a network's name does for what was asked for on the page or over the API; nothing can be said there. */
export const WEB_NETWORK = NetworkName.parse("web");

/** The "network" whose rooms are commits and pull requests on a forge, so that the outbox delivers statuses and comments too. */
export const FORGE_NETWORK = NetworkName.parse("forge");

/** The "network" of builds that nobody asked for: pushes, pull requests, nights. Nothing is answered there. */
export const TRIGGER_NETWORK = NetworkName.parse("triggers");
