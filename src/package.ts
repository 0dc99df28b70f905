/** Where this program lies, and which version it is. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The folder with package.json, above `src/` as well as above `dist/src/`. */
export const PACKAGE_FOLDER = findPackage(dirname(fileURLToPath(import.meta.url)));

export const VERSION = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(join(PACKAGE_FOLDER, "package.json"), "utf8"))).version;

function findPackage(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("docker-ci's own package.json is missing");
  return findPackage(parent);
}
