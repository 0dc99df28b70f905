/** A project's own coverage pages, copied as they are; they take the place of those of an earlier try as a whole. */
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RuntimeError } from "../errors.ts";
import { formatBytes, formatCount } from "../units.ts";
import { isNameTaken } from "./kept-path.ts";
import type { Warnings } from "./warnings.ts";

export interface HtmlLimits {
  readonly files: number;
  readonly bytes: number;
}

export interface KeptHtml {
  /** @param path relative, without a problem (see pathProblem). What cannot be kept is a warning. @throws RuntimeError for the disk. */
  keep(path: string, bytes: number, content: Readable): Promise<void>;
  /** Puts what was kept in the place of what was there; without a file it leaves everything as it is. */
  end(): Promise<void>;
  abandon(): Promise<void>;
}

/** @param name tells the steps of a build apart while they copy side by side. */
export function openHtml(folder: string, name: string, limits: HtmlLimits, warnings: Warnings): KeptHtml {
  const part = `${folder}.part-${name}`;
  let files = 0;
  let bytes = 0;
  const prepared = onDisk(rm(part, { recursive: true, force: true }));
  prepared.catch(() => undefined /* thrown by the first who waits for it */);
  return {
    async keep(path, size, content) {
      await prepared;
      if (files >= limits.files || bytes + size > limits.bytes) {
        const most = files >= limits.files ? `${formatCount(limits.files)} files` : formatBytes(limits.bytes);
        warnings.add("coverage_html", `the pages may take at most ${most}; the rest was left out`);
        return;
      }
      files += 1;
      bytes += size;
      const target = join(part, path);
      try {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await pipeline(content, createWriteStream(target, { mode: 0o600 }));
      } catch (error) {
        if (content.errored !== null) throw error;
        if (!isNameTaken(error)) throw cannotKeep(error);
        warnings.add(path, "was left out, as a file and a folder would have the same name");
      }
    },
    async end() {
      await prepared;
      if (files === 0) return;
      await onDisk(rm(folder, { recursive: true, force: true }));
      await onDisk(rename(part, folder));
    },
    async abandon() {
      await onDisk(rm(part, { recursive: true, force: true }));
    },
  };
}

function cannotKeep(cause: unknown): RuntimeError {
  return new RuntimeError("the coverage pages cannot be kept", { cause });
}

function onDisk<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => Promise.reject(cannotKeep(error)));
}
