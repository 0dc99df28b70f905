/** The configuration as it is written, without what is secret in it: names such as `$TOKEN` stay, values go. */
import { readFile } from "node:fs/promises";
import { isScalar, parseDocument, visit } from "yaml";
import { type Config, Secret } from "../config.ts";

const SHOWN = "[secret]";

/** Undefined where there is no file. */
export async function configWithoutSecrets(config: Pick<Config, "file">): Promise<string | undefined> {
  if (config.file === undefined) return undefined;
  const secrets = [...secretsIn(config)].toSorted((a, b) => b.length - a.length);
  const document = parseDocument(await readFile(config.file, "utf8"));
  visit(document, {
    Scalar(_key, node) {
      if (!isScalar(node) || typeof node.value === "boolean" || node.value === null) return;
      const text = String(node.value);
      const masked = withoutSecrets(text, secrets);
      if (masked !== text) node.value = masked;
    },
  });
  // A comment may tell one as well.
  return withoutSecrets(document.toString(), secrets);
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((left, secret) => left.replaceAll(secret, SHOWN), text);
}

function secretsIn(value: unknown, found = new Set<string>()): Set<string> {
  if (value instanceof Secret) found.add(value.reveal());
  else if (value instanceof Map) for (const each of value.values()) secretsIn(each, found);
  else if (typeof value === "object" && value !== null) for (const each of Object.values(value)) secretsIn(each, found);
  return found;
}
