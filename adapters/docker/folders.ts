/** Folders that a container finds when it starts. */
import { buffer } from "node:stream/consumers";
import tar from "tar-stream";

/** An archive of empty folders that everyone may write to, for the root of a container. */
export async function foldersArchive(paths: readonly string[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const path of paths) pack.entry({ name: `${path.replace(/^\/+|\/+$/g, "")}/`, type: "directory", mode: 0o777 });
  pack.finalize();
  return buffer(pack);
}
