/** How long a kept log is, without unpacking it. */
import { open } from "node:fs/promises";
import { keptLog } from "../builds/log-files.ts";

/** Two bytes of magic, method, flags, time, system, checksum and size (RFC 1952, 2.3). */
const LEAST_BYTES = 18;

/** Bytes of the whole text, modulo 4 GiB as gzip keeps it; undefined when this machine has no log of that build. */
export async function keptLogBytes(folder: string, number: number): Promise<number | undefined> {
  const file = await open(keptLog(folder, number), "r").catch(() => undefined /* another machine has it, or nobody */);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    if (size < LEAST_BYTES) return undefined;
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, size - 4);
    return buffer.readUInt32LE(0);
  } finally {
    await file.close();
  }
}
