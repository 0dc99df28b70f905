/** axe-core on an opened page: what keeps people with a screen reader, a keyboard or weak eyes from using it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { z } from "zod";

const Found = z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) }));

/** `color-contrast: <span class="quiet">`, once for each place; empty for a page that is fine. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const found = Found.parse(await page.evaluate("axe.run().then(({ violations }) => violations)"));
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
