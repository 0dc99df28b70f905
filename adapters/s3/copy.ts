/** Copies on the server: at once, or in parts where S3 asks for it. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { RuntimeError } from "../../src/errors.ts";
import { call, type Scene } from "./call.ts";
import { storeName } from "./failure.ts";
import { headObject, type LookedAt } from "./read.ts";

export async function copyObject(scene: Scene, from: string, to: string, signal: AbortSignal): Promise<void> {
  const { bucket, client, settings } = scene;
  const head = await headObject(scene, from, signal);
  if (head === undefined) {
    throw new RuntimeError(`${storeName(bucket)}: there is no ${from} to be copied`, { retryable: false });
  }
  if (head.bytes > settings.copyAtOnceBytes) return copyInParts(scene, head, to, signal);
  const command = new CopyObjectCommand({ ...target(scene, to), ...source(scene, head) });
  await call(scene, "copy there", signal, (ask) => client.send(command, ask));
}

async function copyInParts(scene: Scene, head: LookedAt, to: string, signal: AbortSignal): Promise<void> {
  const { client, settings } = scene;
  const at = { Bucket: scene.bucket.bucket, Key: to };
  const { UploadId } = await call(scene, "write there", signal, (ask) =>
    client.send(
      new CreateMultipartUploadCommand({
        ...target(scene, to),
        Metadata: { ...head.metadata },
        ContentType: head.contentType,
      }),
      ask,
    ),
  );
  try {
    const parts: CompletedPart[] = [];
    for (let start = 0; start < head.bytes; start += settings.copyPartBytes) {
      const end = Math.min(start + settings.copyPartBytes, head.bytes) - 1;
      const part = { UploadId, PartNumber: parts.length + 1, CopySourceRange: `bytes=${start}-${end}` };
      const { CopyPartResult } = await call(scene, "copy there", signal, (ask) =>
        client.send(new UploadPartCopyCommand({ ...at, ...source(scene, head), ...part }), ask),
      );
      parts.push({ PartNumber: part.PartNumber, ETag: CopyPartResult?.ETag });
    }
    const whole = { ...at, UploadId, MultipartUpload: { Parts: parts } };
    await call(scene, "write there", signal, (ask) => client.send(new CompleteMultipartUploadCommand(whole), ask));
  } catch (error) {
    // With a signal of its own, since the caller's may be what ended it; the failure itself is what is told.
    const grace = { abortSignal: AbortSignal.timeout(settings.idleMs) };
    await client.send(new AbortMultipartUploadCommand({ ...at, UploadId }), grace).catch(() => undefined);
    throw error;
  }
}

function source({ bucket }: Scene, { key, etag }: LookedAt): { CopySource: string; CopySourceIfMatch: string } {
  const path = key.split("/").map(encodeURIComponent).join("/");
  return { CopySource: `${bucket.bucket}/${path}`, CopySourceIfMatch: etag };
}

function target({ bucket }: Scene, to: string) {
  const { storageClass } = bucket;
  return { Bucket: bucket.bucket, Key: to, ...(storageClass === undefined ? {} : { StorageClass: storageClass }) };
}
