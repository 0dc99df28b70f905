/** A request's body as S3 takes it: out of its aws-chunked frames, and compared with every checksum that came with it. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { header } from "./s3-signature.ts";
import { S3Error } from "./s3-xml.ts";

export interface ReceivedBody {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly md5: string;
  /** Those that were sent, and were right: `x-amz-checksum-sha256` to base64. */
  readonly checksums: Readonly<Record<string, string>>;
}

const KNOWN = ["x-amz-checksum-sha256", "x-amz-checksum-crc32", "x-amz-checksum-sha1"] as const;

/**
 * Writes it to a file, which is gone again when it throws.
 * @param onBytes told how many have come, before they are written; may throw. @throws S3Error
 */
export async function receiveBody(
  request: IncomingMessage,
  file: string,
  onBytes: (bytes: number) => void,
): Promise<ReceivedBody> {
  const { headers } = request;
  const trailers = new Map<string, string>();
  const contentSha = header(headers, "x-amz-content-sha256");
  const isFramed = contentSha.startsWith("STREAMING-");
  if (isFramed && contentSha !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    throw new S3Error(501, "NotImplemented", "Signed frames are not understood here.");
  }
  const hashes = { md5: createHash("md5"), sha1: createHash("sha1"), sha256: createHash("sha256"), crc: 0 };
  const announced = `${Object.keys(headers).join()},${header(headers, "x-amz-trailer")}`;
  const wantsSha256 = /^[0-9a-f]{64}$/.test(contentSha) || announced.includes("x-amz-checksum-sha256");
  const wantsCrc32 = announced.includes("x-amz-checksum-crc32");
  const wantsSha1 = announced.includes("x-amz-checksum-sha1");
  let bytes = 0;

  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of isFramed ? unframed(request, trailers) : plain(request)) {
      bytes += chunk.length;
      onBytes(bytes);
      hashes.md5.update(chunk);
      if (wantsSha256) hashes.sha256.update(chunk);
      if (wantsSha1) hashes.sha1.update(chunk);
      if (wantsCrc32) hashes.crc = crc32(chunk, hashes.crc);
      yield chunk;
    }
  }

  try {
    await pipeline(counted(), createWriteStream(file));
    const expected = isFramed ? header(headers, "x-amz-decoded-content-length") : header(headers, "content-length");
    if (expected !== "" && Number(expected) !== bytes) {
      throw new S3Error(400, "IncompleteBody", "You did not provide the number of bytes specified.");
    }
    const md5 = hashes.md5.digest();
    const sha256 = hashes.sha256.digest();
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(hashes.crc);
    const actual = {
      "x-amz-checksum-sha256": sha256.toString("base64"),
      "x-amz-checksum-crc32": crc.toString("base64"),
      "x-amz-checksum-sha1": hashes.sha1.digest("base64"),
    };
    if (/^[0-9a-f]{64}$/.test(contentSha) && sha256.toString("hex") !== contentSha) {
      throw new S3Error(
        400,
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    const contentMd5 = header(headers, "content-md5");
    if (contentMd5 !== "" && contentMd5 !== md5.toString("base64")) {
      throw new S3Error(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
    }
    const checksums: Record<string, string> = {};
    for (const name of KNOWN) {
      const sent = trailers.get(name) ?? header(headers, name);
      if (sent === "") continue;
      if (sent !== actual[name]) {
        const algorithm = name.slice("x-amz-checksum-".length).toUpperCase();
        throw new S3Error(400, "BadDigest", `The ${algorithm} you specified did not match the calculated checksum.`);
      }
      checksums[name] = sent;
    }
    return { bytes, md5: md5.toString("hex"), checksums };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function* plain(request: IncomingMessage): AsyncGenerator<Buffer> {
  for await (const chunk of request) yield Buffer.from(chunk);
}

/** `hex-size[;extension]\r\n data \r\n … 0\r\n name:value\r\n … \r\n` */
async function* unframed(request: IncomingMessage, trailers: Map<string, string>): AsyncGenerator<Buffer> {
  const malformed = (): S3Error => new S3Error(400, "IncompleteBody", "The request body terminated unexpectedly.");
  let rest: Buffer = Buffer.alloc(0);
  /** What is left of the frame that is being read; -2: the line end behind it. */
  let left = -1;
  let isInTrailers = false;
  for await (const chunk of plain(request)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      if (left > 0) {
        if (rest.length === 0) break;
        const data = rest.subarray(0, left);
        rest = rest.subarray(data.length);
        left -= data.length;
        if (left === 0) left = -2;
        yield data;
        continue;
      }
      const end = rest.indexOf("\r\n");
      if (end === -1) break;
      const line = rest.subarray(0, end).toString();
      rest = rest.subarray(end + 2);
      if (left === -2) {
        if (line !== "") throw malformed();
        left = -1;
      } else if (isInTrailers) {
        const [name = "", ...value] = line.split(":");
        if (name !== "") trailers.set(name.trim().toLowerCase(), value.join(":").trim());
      } else {
        const size = /^([0-9a-f]+)(;.*)?$/i.exec(line)?.[1];
        if (size === undefined) throw malformed();
        left = Number.parseInt(size, 16);
        if (left === 0) isInTrailers = true;
      }
    }
  }
  if (!isInTrailers) throw malformed();
}
