/** A revision's files as the tar that a pipeline runs over. */
import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { temporaryFolder } from "./temporary-folder.ts";

export type TarEntry = string | { readonly text: string; readonly mode: number } | { readonly link: string };

export function packEntries(entries: Readonly<Record<string, TarEntry>>): Readable {
  const pack = tar.pack();
  for (const [name, entry] of Object.entries(entries)) {
    if (typeof entry === "string") pack.entry({ name }, entry);
    else if ("link" in entry) pack.entry({ name, type: "symlink", linkname: entry.link });
    else pack.entry({ name, mode: entry.mode }, entry.text);
  }
  pack.finalize();
  return Readable.from(pack, { objectMode: false });
}

export interface TestTree extends AsyncDisposable {
  readonly folder: string;
  readonly tarFile: string;
}

/** The files in a tar in a folder that is gone when the test is over. */
export async function treeOf(entries: Readonly<Record<string, TarEntry>>): Promise<TestTree> {
  const folder = await temporaryFolder();
  const tarFile = join(folder.path, "tree.tar");
  await pipeline(packEntries(entries), createWriteStream(tarFile));
  return { folder: folder.path, tarFile, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** What a tar holds: text of files, `-> target` of links, with the mode where it is not the usual one. */
export async function listTar(source: Readable | string): Promise<Record<string, string>> {
  const extract = tar.extract();
  const found: Record<string, string> = {};
  const reading = (async () => {
    for await (const entry of extract) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      const { name, type, linkname, mode = 0o644 } = entry.header;
      const shownMode = mode === 0o644 || type === "symlink" ? "" : ` (${mode.toString(8)})`;
      if (type === "directory") continue;
      found[name] = type === "symlink" ? `-> ${linkname}` : `${Buffer.concat(chunks).toString()}${shownMode}`;
    }
  })();
  await Promise.all([pipeline(typeof source === "string" ? createReadStream(source) : source, extract), reading]);
  return found;
}
