/** What a start loads: it is up within two seconds, and small while nothing is to be done, as what is rarely needed comes later. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";

/** Each takes megabytes or tenths of a second, and is imported where it is needed first. */
const LATER = [
  // The API's document.
  "@hono/zod-openapi",
  "@asteasolutions/zod-to-openapi",
  // Reports, when a step has ended.
  "htmlparser2",
  "entities",
  // Networks that are not configured, and what only some of them show.
  "@slack/bolt",
  "nodemailer",
  "@resvg/resvg-js",
  // Releases and backups.
  "@aws-sdk",
  "openpgp",
  // An engine, which this start does not have.
  "dockerode",
];

/** Writes down every module: those that are imported as they come, those that are required at the end. */
const watching = (file: string): string => `
import { appendFileSync } from "node:fs";
import Module, { register } from "node:module";
const hook = 'import { appendFileSync } from "node:fs";' +
  'export const load = (url, context, next) => { appendFileSync(${JSON.stringify(file)}, url + "\\\\n"); return next(url, context); };';
register("data:text/javascript," + encodeURIComponent(hook));
process.on("exit", () => appendFileSync(${JSON.stringify(file)}, Object.keys(Module._cache).join("\\n")));
`;

test("a start loads nothing large that it may never need", async () => {
  await using site = await openSite(undefined);
  const loaded = join(site.folder, "loaded");
  await writeFile(join(site.folder, "watch.mjs"), watching(loaded));
  const watch = { NODE_OPTIONS: `--import ${join(site.folder, "watch.mjs")}` };
  const { status, stderr } = await site.run(["start", "--no-worker"], "!version\n", watch).ended;
  expect(stderr).toContain(site.url);
  expect(status).toBe(0);
  const packages = new Set(
    (await readFile(loaded, "utf8")).split("\n").flatMap((path) => {
      const name = path.split("/node_modules/").at(-1) ?? "";
      return path.includes("/node_modules/") ? [name.split("/", name.startsWith("@") ? 2 : 1).join("/")] : [];
    }),
  );
  // Imported, and required by one that is.
  expect([...packages]).toEqual(expect.arrayContaining(["hono", "ioredis", "redis-errors"]));
  expect([...packages].filter((name) => LATER.some((later) => name === later || name.startsWith(`${later}/`)))).toEqual(
    [],
  );
});
