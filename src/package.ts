/** Where this program lies, and which version it is. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The folder with package.json, above `src/` as well as above `dist/src/`. */
export const PACKAGE_FOLDER = findPackage(dirname(fileURLToPath(import.meta.url)));

const PackageJson = z.object({
  version: z.string(),
  license: z.string().default("no licence named"),
  homepage: z.string().optional(),
  repository: z.union([z.string(), z.object({ url: z.string() }).transform(({ url }) => url)]).optional(),
});

const described = PackageJson.parse(JSON.parse(readFileSync(join(PACKAGE_FOLDER, "package.json"), "utf8")));

export const VERSION = described.version;
export const LICENSE = described.license;
/** Where its source is kept; undefined where package.json says nothing of it. */
export const SOURCE = sourceOf(described);

/** `git+https://git.example.org/docker-ci.git` is `https://git.example.org/docker-ci` to who looks at it. */
export function sourceOf({ repository, homepage }: Partial<z.input<typeof PackageJson>>): string | undefined {
  const url = typeof repository === "object" ? repository.url : repository;
  return url?.replace(/^git\+/, "").replace(/\.git$/, "") ?? homepage;
}

function findPackage(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("docker-ci's own package.json is missing");
  return findPackage(parent);
}
