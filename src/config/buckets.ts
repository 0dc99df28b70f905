/** A bucket, as releases, backups and the artifact store name one. */
import type { z } from "zod";
import { choice, flag, httpUrl, secret, text, textLike } from "./scalars.ts";
import type { Secret } from "./secret.ts";

/** A bucket of S3 or of another server that speaks its protocol; without keys the usual chain of credentials is asked. */
export interface Bucket {
  readonly bucket: string;
  /** Without a slash at its end; undefined: Amazon's own. */
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly accessKey: Secret | undefined;
  readonly secretKey: Secret | undefined;
  /** Whether the bucket's name stands in the path and not in the host's name: what most servers besides Amazon's take. */
  readonly pathStyle: boolean;
  readonly storageClass: StorageClass | undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, those from which an object is read at once. */
const StorageClass = choice([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
]);
export type StorageClass = z.output<typeof StorageClass>;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const bucketName = textLike(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "a bucket's name");

/** The keys beside `bucket`. */
export const bucketKeys = {
  endpoint: httpUrl.optional(),
  region: text("a region").optional(),
  access_key: secret.optional(),
  secret_key: secret.optional(),
  path_style: flag.optional(),
  storage_class: StorageClass.optional(),
};

/** `path_style` is the default where there is an endpoint. */
export function toBucket(bucket: string, keys: z.output<z.ZodObject<typeof bucketKeys>>): Bucket {
  return {
    bucket,
    endpoint: keys.endpoint,
    region: keys.region,
    accessKey: keys.access_key,
    secretKey: keys.secret_key,
    pathStyle: keys.path_style ?? keys.endpoint !== undefined,
    storageClass: keys.storage_class,
  };
}
