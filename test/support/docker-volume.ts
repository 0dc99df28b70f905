/** Volumes are the Engine's, and the port has no use for removing one; tests do. */

import { once } from "node:events";
import { request } from "node:http";

/** Removes a named volume. @throws when the Engine refuses. */
export async function removeVolume(name: string): Promise<void> {
  const socketPath = "/var/run/docker.sock";
  const asked = request({ socketPath, path: `/volumes/${encodeURIComponent(name)}`, method: "DELETE" }).end();
  const [response] = await once(asked, "response");
  response.resume();
  if (![204, 404].includes(response.statusCode)) throw new Error(`volume ${name}: HTTP ${response.statusCode}`);
}
