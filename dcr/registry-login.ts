/** `registry_login`: `user:password:email`, any part of it `$NAME` (O-146, O-156). */
import { Secret } from "../src/config/secret.ts";
import { ConfigError } from "../src/errors.ts";
import type { Environment } from "./environment.ts";

export const LOGIN_EXAMPLES = 'a login such as "$REGISTRY_USER:$REGISTRY_PASSWORD:$REGISTRY_EMAIL"';

export interface RegistryLogin {
  readonly username: string;
  readonly password: Secret;
  readonly email: string;
  readonly serveraddress: string;
}

/** Docker's own registry, under the name that the Engine's logins have for it. */
const DOCKER_HUB = "https://index.docker.io/v1/";

export function isLogin(text: string): boolean {
  return /^[^:]+:[^:]+(?::[^:]*)?$/.test(text);
}

/** @throws ConfigError when a part is not set. */
export function readLogin(template: Secret, image: string, environment: Environment): RegistryLogin {
  const unset: string[] = [];
  // Taken apart first: a password may have colons.
  const [username = "", password = "", email = ""] = template
    .reveal()
    .split(":")
    .map((part) => {
      const name = /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(part)?.[1];
      if (name === undefined) return part;
      const value = environment[name];
      if (value === undefined) unset.push(name);
      return value ?? "";
    });
  if (unset.length > 0) {
    throw new ConfigError(
      "The registry login cannot be used:",
      unset.map((name) => `registry_login: $${name} is not set`),
    );
  }
  return { username, password: new Secret(password), email, serveraddress: registryOf(image) };
}

/** The registry that an image's name begins with: a first part with a dot or a port, as Docker has it. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : DOCKER_HUB;
}
