/** The files that a build's steps leave behind, kept under the build's folder. */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { RuntimeError } from "../errors.ts";
import { ifMissing } from "../missing.ts";
import { StepId } from "../names.ts";
import { formatBytes, formatCount } from "../units.ts";
import { isNameTaken } from "./kept-path.ts";
import { isPicture } from "./picture.ts";
import { Artifact } from "./summary.ts";
import type { Warnings } from "./warnings.ts";

const LIST = /^(?<step>.+)\.artifacts\.json$/;
const FileList = z.array(Artifact);

export interface ArtifactLimits {
  /** Of all artifacts of a build. */
  readonly files: number;
  readonly bytes: number;
}

/** The artifacts of one build; its steps may leave theirs side by side. */
export interface KeptArtifacts {
  /** Begins a step's list; what an earlier try of it left is replaced. */
  begin(step: StepId, warnings: Warnings): Promise<StepArtifacts>;
}

export interface StepArtifacts {
  /**
   * Keeps one file at a relative path that has no problem (see pathProblem), over one of the same path. What cannot be kept is a
   * warning. @throws RuntimeError when the disk fails, or what the content throws.
   */
  keep(path: string, bytes: number, content: Readable): Promise<void>;
  /** Writes down what there is, and removes what the earlier try left and this one did not. */
  end(): Promise<Artifact[]>;
  /** Gives up: what was kept so far goes, as nobody would know of it. */
  abandon(): Promise<void>;
}

/**
 * @param folder `artifacts/<n>`, where nothing but whole artifacts lies. @param lists the build's results folder on the same disk:
 * for `<step>.artifacts.json`, and for files that are not whole yet.
 */
export function openArtifacts(folder: string, lists: string, limits: ArtifactLimits): KeptArtifacts {
  const owners = new Owners();
  let known: Promise<void> | undefined;

  return {
    async begin(step, warnings) {
      known ??= readLists(lists, owners);
      await known;
      const earlier = owners.giveUp(step);
      const mine = new Map<string, Artifact>();
      const partFolder = join(lists, `${step}.artifacts.part`);
      let parts = 0;
      await onDisk(rm(partFolder, { recursive: true, force: true }));
      await onDisk(mkdir(partFolder, { recursive: true, mode: 0o700 }));

      const refuse = (path: string, bytes: number): boolean => {
        const owner = owners.get(path);
        if (owner === undefined && owners.files >= limits.files) {
          warnings.add("artifacts", `a build keeps at most ${formatCount(limits.files)}; the rest was left out`);
          return true;
        }
        if (owners.bytes - (owner?.bytes ?? 0) + bytes <= limits.bytes) return false;
        warnings.add(path, `would bring the build's artifacts over ${formatBytes(limits.bytes)} and was left out`);
        return true;
      };

      return {
        async keep(path, bytes, content) {
          if (refuse(path, bytes)) return;
          const owner = owners.get(path);
          owners.set(path, { step, bytes });
          parts += 1;
          const part = join(partFolder, String(parts));
          const target = join(folder, path);
          let picture = false;
          try {
            await pipeline(content, createWriteStream(part, { flags: "wx", mode: 0o600 }));
            picture = await isPicture(path, part);
            await mkdir(dirname(target), { recursive: true, mode: 0o700 });
            await rename(part, target);
          } catch (error) {
            await rm(part, { force: true });
            owners.set(path, owner);
            if (content.errored !== null) throw error;
            if (!isNameTaken(error)) throw cannotKeep(error);
            warnings.add(path, "was left out, as a file and a folder would have the same name");
            return;
          }
          if (owner !== undefined) {
            const other = owner.step === step ? "another file" : `that of step ${owner.step}`;
            warnings.add(path, `is there twice; this one replaced ${other}`);
          }
          earlier.delete(path);
          mine.set(path, { path, bytes, ...(picture ? { picture } : {}) });
        },
        async end() {
          for (const path of earlier) {
            if (owners.get(path) === undefined) await onDisk(rm(join(folder, path), { force: true }));
          }
          const artifacts = [...mine.values()]
            .filter(({ path }) => owners.get(path)?.step === step)
            .sort((a, b) => (a.path < b.path ? -1 : 1));
          const list = join(lists, `${step}.artifacts.json`);
          await onDisk(mkdir(lists, { recursive: true }));
          await onDisk(writeFile(`${list}.part`, JSON.stringify(artifacts)));
          await onDisk(rename(`${list}.part`, list));
          await onDisk(rm(partFolder, { recursive: true, force: true }));
          return artifacts;
        },
        async abandon() {
          for (const path of mine.keys()) await onDisk(rm(join(folder, path), { force: true }));
          await onDisk(rm(partFolder, { recursive: true, force: true }));
        },
      };
    },
  };
}

interface Owner {
  readonly step: string;
  readonly bytes: number;
}

/** Which step each path of the build belongs to, with the sums. */
class Owners {
  readonly #byPath = new Map<string, Owner>();
  bytes = 0;

  get files(): number {
    return this.#byPath.size;
  }

  get(path: string): Owner | undefined {
    return this.#byPath.get(path);
  }

  set(path: string, owner: Owner | undefined): void {
    this.bytes += (owner?.bytes ?? 0) - (this.#byPath.get(path)?.bytes ?? 0);
    if (owner === undefined) this.#byPath.delete(path);
    else this.#byPath.set(path, owner);
  }

  /** Nobody's are the paths of this step from now on. @returns them. */
  giveUp(step: string): Set<string> {
    const paths = [...this.#byPath].flatMap(([path, owner]) => (owner.step === step ? [path] : []));
    for (const path of paths) this.set(path, undefined);
    return new Set(paths);
  }
}

/** What earlier steps, or an earlier attempt, wrote down. */
async function readLists(lists: string, owners: Owners): Promise<void> {
  const names: string[] = await readdir(lists).catch(ifMissing([] /* no folder yet: nothing kept yet */));
  for (const name of names) {
    const step = StepId.safeParse(LIST.exec(name)?.groups?.step);
    if (!step.success) continue;
    const text = await onDisk(readFile(join(lists, name), "utf8"));
    for (const { path, bytes } of parseList(text)) owners.set(path, { step: step.data, bytes });
  }
}

function parseList(text: string): readonly Artifact[] {
  try {
    return FileList.parse(JSON.parse(text));
  } catch {
    // Damaged by a full disk or by hand: what it listed counts as nobody's, so it is replaced without a word.
    return [];
  }
}

function cannotKeep(cause: unknown): RuntimeError {
  return new RuntimeError("the artifacts cannot be kept", { cause });
}

function onDisk<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => Promise.reject(cannotKeep(error)));
}
