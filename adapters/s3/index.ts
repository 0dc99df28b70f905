/**
 * Buckets of Amazon S3, and of servers that speak its protocol.
 *
 * What arrives is checked three times: every request bears the SHA-256 of what it carries, which the server compares; `put` compares
 * the whole with `sha256` before the object comes into being, and looks at its size afterwards; `get` compares what it reads with
 * the SHA-256 that the server knows or that `put` noted beside the object. Of an object that came in parts and without
 * `sha256`, nobody knows one, and only its length is compared: whoever needs more reads it back.
 */
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand } from "@aws-sdk/client-s3";
import type { Bucket } from "../../src/config.ts";
import type { ObjectStore } from "../../src/object-store.ts";
import { call, type Scene } from "./call.ts";
import { newClient, S3_SETTINGS, type S3Settings } from "./client.ts";
import { copyObject } from "./copy.ts";
import { isNamed, storeName } from "./failure.ts";
import { getObject, headObject, listPage, plainly } from "./read.ts";
import { abortUploads } from "./uploads.ts";
import { putObject } from "./write.ts";

const PAGE_KEYS = 1000;
const PROBE_KEY = ".docker-ci-probe";

export function openS3(bucket: Bucket, settings: S3Settings = S3_SETTINGS): ObjectStore {
  const scene: Scene = { bucket, settings, client: newClient(bucket, settings) };
  const { client } = scene;
  const at = { Bucket: bucket.bucket };
  return {
    name: storeName(bucket),
    put: (key, content, options, signal) => putObject(scene, key, content, options, signal),
    get: (key, signal) => getObject(scene, key, signal),
    async head(key, signal) {
      const found = await headObject(scene, key, signal);
      return found === undefined ? undefined : plainly(found);
    },
    async *list(prefix, signal) {
      let token: string | undefined;
      do {
        const page = await listPage(scene, prefix, token, PAGE_KEYS, signal);
        yield* page.objects;
        token = page.next;
      } while (token !== undefined);
    },
    copy: (from, to, signal) => copyObject(scene, from, to, signal),
    async remove(key, signal) {
      const command = new DeleteObjectCommand({ ...at, Key: key });
      await call(scene, "remove anything there", signal, (ask) => client.send(command, ask));
    },
    abandonUploads: (prefix, begunBefore, signal) =>
      abortUploads(scene, prefix, ({ begunAt }) => begunAt < begunBefore, signal),
    async probe(signal) {
      await listPage(scene, "", undefined, 1, signal);
      // An upload that is begun and aborted needs the right to write, and nobody ever sees an object.
      const upload = { ...at, Key: PROBE_KEY };
      const { UploadId } = await call(scene, "write there", signal, (ask) =>
        client.send(new CreateMultipartUploadCommand(upload), ask),
      );
      // Another probe may have taken ours with those that were killed.
      const gone = (error: unknown): object | undefined => (isNamed(error, "NoSuchUpload") ? {} : undefined);
      const command = new AbortMultipartUploadCommand({ ...upload, UploadId });
      await call(scene, "abort uploads there", signal, (ask) => client.send(command, ask), gone);
      await abortUploads(scene, PROBE_KEY, ({ key }) => key === PROBE_KEY, signal);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
    },
  };
}
