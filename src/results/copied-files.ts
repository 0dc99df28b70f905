/** The files below one path of an ended container, one after the other, as its tar stream brings them. */
import { PassThrough, type Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { describeError, RuntimeError } from "../errors.ts";
import type { RunningContainer } from "../runtime.ts";
import { formatBytes, formatCount } from "../units.ts";
import type { Warnings } from "./warnings.ts";

export interface CopiedFile {
  /** Absolute, in the container; names that climb are never given out. */
  readonly path: string;
  /** What a link or a device is called; only files have content. */
  readonly kind: "file" | "symbolic link" | "hard link" | "device";
  readonly bytes: number;
  /** To be read to its end, or not at all, before the next file comes. */
  readonly content: AsyncIterable<unknown>;
}

/** How much of a container is looked through for the files that a pattern matches. */
export interface CopyLimits {
  readonly files: number;
  readonly bytes: number;
}

export interface CopyOptions {
  readonly limits: CopyLimits;
  readonly warnings: Warnings;
  each(file: CopiedFile): Promise<void>;
}

/**
 * Gives `each` everything below an absolute path that is no folder, or the file at the path itself, one after the other. A symbolic
 * link is given as one; only the folders on the way to the path are followed, by the engine and inside the container.
 * A stream that is no whole tar, or passes the limits, ends early with a warning.
 * @throws RuntimeError when the engine fails, the signal's reason, or what `each` throws by itself.
 */
export async function copyFiles(
  container: RunningContainer,
  base: string,
  { limits, warnings, each }: CopyOptions,
  signal: AbortSignal,
): Promise<void> {
  const source = await container.copyOut(base, signal);
  if (source === undefined) return;
  const extract = tar.extract();
  // Each is destroyed with the other's error, so it matters whose came first.
  let failed: { readonly by: "engine" | "tar"; readonly cause: unknown } | undefined;
  source.on("error", (cause) => {
    failed ??= { by: "engine", cause };
  });
  extract.on("error", (cause) => {
    failed ??= { by: "tar", cause };
  });
  const reading = pipeline(source, extract, { signal });
  // Whoever reads the entries gets the error.
  reading.catch(() => undefined);
  let files = 0;
  let bytes = 0;
  try {
    for await (const entry of extract) {
      const { name, type, size = 0 } = entry.header;
      files += 1;
      bytes += Number.isSafeInteger(size) && size >= 0 ? size : Number.POSITIVE_INFINITY;
      if (files > limits.files || bytes > limits.bytes) {
        const most = files > limits.files ? `${formatCount(limits.files)} files` : formatBytes(limits.bytes);
        warnings.add(base, `has more than ${most} in it; the rest was not looked at`);
        return;
      }
      const path = pathOf(name, base);
      if (path === undefined) warnings.add(name, `is not below ${base} and was left out`);
      else if (type !== "directory") await each({ path, kind: kindOf(type), bytes: size, content: entry });
      entry.resume();
    }
    await reading;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RuntimeError) throw error;
    if (failed === undefined) throw error;
    if (failed.by === "engine") {
      throw new RuntimeError(`${base} could not be copied out of the container (${describeError(error)})`, {
        cause: error,
      });
    }
    warnings.add(base, `could not be read to its end (${describeError(error)})`);
  } finally {
    extract.destroy();
    source.destroy();
  }
}

/** A name in the tar as a path: it begins with the last part of what was asked for (`reports/junit.xml` of `/src/reports`). */
function pathOf(name: string, base: string): string | undefined {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || name.includes("\0")) return undefined;
  const top = base.split("/").at(-1) ?? "";
  if (top === "") return `/${parts.join("/")}`;
  if (parts[0] !== top) return undefined;
  return [base, ...parts.slice(1)].join("/");
}

function kindOf(type: string | null | undefined): CopiedFile["kind"] {
  if (type === "file" || type === "contiguous-file") return "file";
  if (type === "symlink") return "symbolic link";
  return type === "link" ? "hard link" : "device";
}

/** Someone who reads a file's content; what they throw does not keep the others from reading on. */
export type Reader = (content: Readable) => Promise<void>;

/**
 * Gives the content of a file to all readers at once, at the pace of the slowest, and reads it to its end whether or not they do.
 * @throws the content's error; else the first error of a reader.
 */
export async function readByAll(content: AsyncIterable<unknown>, readers: readonly Reader[]): Promise<void> {
  const branches = readers.map(() => new PassThrough());
  const reads = readers.map(async (read, index) => {
    const branch = branches[index];
    if (branch === undefined) return;
    // One that fails while nobody listens, after its reader gave up, must not end the process.
    branch.on("error", () => undefined);
    try {
      await read(branch);
    } finally {
      branch.destroy();
    }
  });
  const ends = Promise.allSettled(reads);
  try {
    for await (const chunk of content) {
      await Promise.all(branches.map((branch) => write(branch, chunk)));
    }
    for (const branch of branches) branch.end();
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    for (const branch of branches) branch.destroy(cause);
    await ends;
    throw error;
  }
  for (const end of await ends) if (end.status === "rejected") throw end.reason;
}

/** Writes unless the stream was destroyed, and waits until it takes more, or never will. */
async function write(to: Writable, chunk: unknown): Promise<void> {
  if (to.destroyed || to.write(chunk)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      to.off("drain", done);
      to.off("close", done);
      resolve();
    };
    to.on("drain", done);
    to.on("close", done);
  });
}
