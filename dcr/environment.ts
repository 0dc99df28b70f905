/** What a container's environment is made of: values that stand in the file, and those that `dcr`'s own caller gives (O-155). */
import { Secret } from "../src/config/secret.ts";

export const ENVIRONMENT_EXAMPLES =
  '"NAME=value", "$NAME" for what the environment has under that name, or "$NAME?" for what it may have';

export type EnvironmentEntry =
  | { readonly kind: "written"; readonly name: string; readonly value: Secret }
  | { readonly kind: "taken"; readonly name: string; readonly optional: boolean };

export type Environment = Readonly<Record<string, string | undefined>>;

/** `undefined` when it is neither. A dollar inside a value is a dollar. */
export function parseEnvironmentEntry(text: string): EnvironmentEntry | undefined {
  const [, taken, mark] = /^\$([A-Za-z_][A-Za-z0-9_]*)(\?)?$/.exec(text.trim()) ?? [];
  if (taken !== undefined) return { kind: "taken", name: taken, optional: mark !== undefined };
  const [, name, value] = /^([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/s.exec(text) ?? [];
  return name === undefined ? undefined : { kind: "written", name, value: new Secret(value ?? "") };
}

/** Whether the caller has a value under that name. One that is set and empty is a value. */
export function isSet(environment: Environment, name: string): boolean {
  return environment[name] !== undefined;
}

/** The names whose values are needed and not there. */
export function unsetNames(entries: readonly EnvironmentEntry[], environment: Environment): string[] {
  const needed = entries.flatMap((entry) => (entry.kind === "taken" && !entry.optional ? [entry.name] : []));
  return [...new Set(needed)].filter((name) => !isSet(environment, name));
}

/** All values by name; of two with one name the last counts. What is optional and not set is not passed on at all. */
export function takeEnvironment(
  entries: readonly EnvironmentEntry[],
  environment: Environment,
): ReadonlyMap<string, Secret> {
  const values = new Map<string, Secret>();
  for (const entry of entries) {
    const value = entry.kind === "written" ? entry.value : environment[entry.name];
    if (value !== undefined) values.set(entry.name, typeof value === "string" ? new Secret(value) : value);
  }
  return values;
}
