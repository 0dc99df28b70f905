/** Uploads in parts that nobody ended, such as those of a process that was killed: they are paid for and never seen. */
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { call, type Scene } from "./call.ts";
import { isNamed } from "./failure.ts";

/** @param isOurs which of them. @returns how many were aborted. */
export async function abortUploads(
  scene: Scene,
  prefix: string,
  isOurs: (upload: { readonly key: string; readonly begunAt: Date }) => boolean,
  signal: AbortSignal,
): Promise<number> {
  const { client, bucket } = scene;
  const at = { Bucket: bucket.bucket };
  let aborted = 0;
  let marker: { KeyMarker: string | undefined; UploadIdMarker: string | undefined } | undefined;
  do {
    const page = await call(scene, "list begun uploads there", signal, (ask) =>
      client.send(new ListMultipartUploadsCommand({ ...at, Prefix: prefix, ...marker }), ask),
    );
    for (const { Key: key = "", UploadId: id, Initiated: begunAt = new Date(0) } of page.Uploads ?? []) {
      if (!isOurs({ key, begunAt })) continue;
      const command = new AbortMultipartUploadCommand({ ...at, Key: key, UploadId: id });
      // Somebody else may have ended it just now.
      const gone = (error: unknown): object | undefined => (isNamed(error, "NoSuchUpload") ? {} : undefined);
      await call(scene, "abort uploads there", signal, (ask) => client.send(command, ask), gone);
      aborted += 1;
    }
    marker =
      page.IsTruncated === true
        ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        : undefined;
  } while (marker !== undefined);
  return aborted;
}
