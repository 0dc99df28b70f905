/** Files as they come in: written aside, compared with what was announced, and put in their place whole. */
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What came is not what was announced. */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
}

export interface Announced {
  readonly bytes: number;
  /** Undefined where whoever sends it vouches for it. */
  readonly sha256: string | undefined;
}

const incomingFolder = (dataDir: string): string => join(dataDir, "docker-ci", "incoming");

/** At the start: nothing that was on its way comes on. */
export async function clearIncoming(dataDir: string): Promise<void> {
  await rm(incomingFolder(dataDir), { recursive: true, force: true });
}

/**
 * Streams the content to its place, over what is there.
 * @param mayStay asked right before it is put there. @returns whether it was.
 * @throws DamagedError, what the content throws, or what the disk says.
 */
export async function takeIn(
  dataDir: string,
  place: string,
  content: Readable,
  { bytes, sha256 }: Announced,
  mayStay: () => Promise<boolean>,
): Promise<boolean> {
  const folder = incomingFolder(dataDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const part = join(folder, randomBytes(12).toString("hex"));
  const hash = createHash("sha256");
  let came = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      came += chunk.length;
      hash.update(chunk);
      // More than announced fills no disk.
      if (came > bytes) done(new DamagedError(`more than the ${bytes} bytes that were announced`));
      else done(undefined, chunk);
    },
  });
  try {
    await pipeline(content, counted, createWriteStream(part, { flags: "wx", mode: 0o600 }));
    if (came !== bytes) throw new DamagedError(`${came} bytes of ${bytes}`);
    if (sha256 !== undefined && hash.digest("hex") !== sha256)
      throw new DamagedError("other content than was announced");
    if (!(await mayStay())) return false;
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    await rename(part, place);
    return true;
  } finally {
    await rm(part, { force: true });
  }
}
