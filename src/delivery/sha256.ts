/** What a file's content comes to, as both ends compare it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Streams it. @throws what the disk says. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
