/** Files that builds left behind, handed out without any rights: whatever they hold, no script of theirs runs in this site's name. */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { extname, join } from "node:path";
import { rangeOf } from "./byte-range.ts";

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline' 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const CHUNK_BYTES = 64 * 1024;
const TEXT = "text/plain; charset=utf-8";
/** What is shown; scripts and whatever else is text stay text, and what is not named here is only saved. */
const SHOWN: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".htm": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".png": "image/png",
  ".gif": "image/gif",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".svg": "image/svg+xml",
  ".pdf": "application/pdf",
  ...Object.fromEntries(
    [
      "txt",
      "log",
      "md",
      "xml",
      "json",
      "jsonl",
      "csv",
      "yml",
      "yaml",
      "toml",
      "js",
      "ts",
      "map",
      "diff",
      "patch",
      "info",
      "out",
    ].map((extension) => [`.${extension}`, TEXT]),
  ),
};

/**
 * A file below a folder as a response, streamed. The answer must bear these headers and not the site's own.
 * @param path as it stands in an address, percent-encoded, without a leading slash.
 * @param range the request's `Range:` header: what was cut off in the middle of a large file is gone on with.
 * @returns `undefined` where there is no such plain file: for what climbs out, is reached over a link or is a folder too.
 */
export async function serveInert(folder: string, path: string, range = ""): Promise<Response | undefined> {
  const parts = pathParts(path);
  const file = parts === undefined ? undefined : await openInside(folder, parts);
  if (parts === undefined || file === undefined) return undefined;
  const { handle, stats } = file;
  const headers = { ...inertHeaders(parts.at(-1) ?? ""), "accept-ranges": "bytes" };
  const part = rangeOf(range, stats.size);
  if (part === "outside") {
    await handle.close();
    return new Response(null, { status: 416, headers: { ...headers, "content-range": `bytes */${stats.size}` } });
  }
  const { first, last } = part ?? { first: 0, last: stats.size - 1 };
  const length = { "content-length": String(last - first + 1) };
  const whole = part === undefined ? {} : { "content-range": `bytes ${first}-${last}/${stats.size}` };
  return new Response(streamOf(handle, first, last), {
    status: part === undefined ? 200 : 206,
    headers: { ...headers, ...length, ...whole },
  });
}

/** The bytes from `first` to `last`; reads as fast as the browser does, and closes the file when either is done. */
function streamOf(handle: FileHandle, first: number, last: number): ReadableStream<Uint8Array> {
  let at = first;
  return new ReadableStream({
    async pull(controller) {
      try {
        const wanted = Math.min(CHUNK_BYTES, last - at + 1);
        // Node refuses to read nothing.
        const { bytesRead, buffer } =
          wanted > 0
            ? await handle.read({ buffer: new Uint8Array(wanted), position: at })
            : { bytesRead: 0, buffer: new Uint8Array() };
        if (bytesRead > 0) {
          at += bytesRead;
          controller.enqueue(buffer.subarray(0, bytesRead));
          return;
        }
      } catch (error) {
        controller.error(error);
        await handle.close();
        return;
      }
      controller.close();
      await handle.close();
    },
    cancel: () => handle.close(),
  });
}

function inertHeaders(name: string): Record<string, string> {
  const extension = extname(name).toLowerCase();
  const type = SHOWN[extension];
  const saved = `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", "%27")}`;
  return {
    // A sandbox would keep the browser from showing a PDF, which runs nothing of this site's either way.
    "content-security-policy": extension === ".pdf" ? POLICY : `sandbox; ${POLICY}`,
    "content-type": type ?? "application/octet-stream",
    ...(type === undefined ? { "content-disposition": saved } : {}),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
  };
}

/** The parts of a path, decoded once each; `undefined` for one that no file of ours has. */
function pathParts(path: string): string[] | undefined {
  try {
    const parts = path.split("/").map(decodeURIComponent);
    const isWrong = (part: string): boolean => part === "" || part === "." || part === ".." || /[/\\\0]/.test(part);
    return parts.some(isWrong) ? undefined : parts;
  } catch {
    // URIError: `%` without two digits behind it.
    return undefined;
  }
}

/** A plain file in a folder, reached over no link, opened for reading; the caller closes it. */
export async function openInside(
  folder: string,
  parts: readonly string[],
): Promise<{ readonly handle: FileHandle; readonly stats: Stats } | undefined> {
  let handle: FileHandle | undefined;
  try {
    const path = join(await realpath(folder), ...parts);
    if ((await realpath(path)) !== path) return undefined;
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, stats };
    await handle.close();
    return undefined;
  } catch {
    // There is none, or not for us; and nobody is told which.
    await handle?.close().catch(() => undefined);
    return undefined;
  }
}
