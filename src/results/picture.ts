/** Which of the files that builds leave behind are pictures that a page may show: raster formats, which cannot do anything. */
import { open } from "node:fs/promises";

/** A browser tells them by their bytes, and people by their names: both have to say so. */
const NAME = /\.(?:png|jpe?g|webp)$/i;
/** PNG, JPEG, and WebP with its size at the dots, in hexadecimal. */
const HEADS = [/^89504e470d0a1a0a/, /^ffd8ff/, /^52494646.{8}57454250/] as const;
const HEAD_BYTES = 12;

/**
 * Whether a file is a PNG, a JPEG or a WebP.
 * @param name as it is kept; the file itself may lie elsewhere.
 */
export async function isPicture(name: string, file: string): Promise<boolean> {
  if (!NAME.test(name)) return false;
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(HEAD_BYTES), position: 0 });
    const head = buffer.toString("hex", 0, bytesRead);
    return HEADS.some((pattern) => pattern.test(head));
  } finally {
    await handle.close();
  }
}
