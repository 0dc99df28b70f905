/** The pages on a port of their own, for a browser. */
import type { WebDeps } from "../../src/web/deps.ts";
import { servePages } from "../../src/web/serve.ts";
import { createWeb } from "../../src/web/web.tsx";
import { freePort } from "./loopback.ts";
import type { Records } from "./records.ts";
import { webDeps } from "./web-deps.ts";

export async function serveWeb(
  records: Records,
  changes: Partial<WebDeps> = {},
): Promise<AsyncDisposable & { readonly url: string }> {
  const port = await freePort();
  const served = await servePages(createWeb(webDeps(records, changes)).fetch, { host: "127.0.0.1", port });
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
}
