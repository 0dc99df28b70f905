/** Folders that a container's command finds: made by the container itself where it can, else put into it before it starts. */
import { buffer } from "node:stream/consumers";
import tar from "tar-stream";
import { z } from "zod";
import type { ContainerSpec } from "../../src/runtime.ts";
import type { Engine } from "./engine.ts";
import { unless } from "./refusal.ts";

const SHELL = "/bin/sh";

/** What an image says of its user; newer engines leave out what is empty. */
const Inspected = z.object({ Config: z.object({ User: z.string().default("") }).nullish() });

export interface Prepared {
  readonly spec: ContainerSpec;
  /** To be unpacked at the root of the container before it starts. */
  readonly archive: Buffer | undefined;
}

/**
 * An archive costs 45 to 65 ms, since the Engine mounts the container's file system for it once more. A command that is a shell
 * script run by root makes its folders itself in two; that there is a shell, its command says.
 */
export async function prepareFolders(engine: Engine, spec: ContainerSpec): Promise<Prepared> {
  const { folders = [], command } = spec;
  if (folders.length === 0) return { spec, archive: undefined };
  if (command?.[0] === SHELL && isRoot(spec.user ?? (await userOf(engine, spec.image)))) {
    return { spec: { ...spec, command: [SHELL, "-c", makingThem(folders), ...command] }, archive: undefined };
  }
  return { spec, archive: await archiveOf(folders) };
}

/** The user of an image, `undefined` when the Engine does not have it. */
async function userOf(engine: Engine, reference: string): Promise<string | undefined> {
  const image = await unless(
    engine.ask((docker) => docker.getImage(reference).inspect()),
    [404],
    undefined,
  );
  return image && (Inspected.parse(image).Config?.User ?? "");
}

/** `user` as an image or a container names it: `root`, `0:0`, or nothing. */
function isRoot(user: string | undefined): boolean {
  return user !== undefined && ["", "root", "0"].includes(user.split(":")[0] ?? "");
}

/** A script that goes over into the command behind it. One that the image has is opened to everyone, as an archive does. */
function makingThem(folders: readonly string[]): string {
  const lines = folders.map((path) => {
    const word = `'${path.replaceAll("'", `'\\''`)}'`;
    return `if [ -d ${word} ]; then chmod 777 ${word}; else mkdir -p -m 777 ${word}; fi`;
  });
  return [...lines, 'exec "$0" "$@"'].join("\n");
}

/** An archive of empty folders that everyone may write to, for the root of a container. */
async function archiveOf(paths: readonly string[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const path of paths) pack.entry({ name: `${path.replace(/^\/+|\/+$/g, "")}/`, type: "directory", mode: 0o777 });
  pack.finalize();
  return buffer(pack);
}
