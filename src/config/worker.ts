/** What a process is as a worker: its name and labels, and what its files are brought to the bot with. */
import { type Bucket, bucketKeys, bucketName, toBucket } from "./buckets.ts";
import { oneOrMany, section, text, textLike } from "./scalars.ts";

/** What tells workers apart in `!workers`, in records and in tokens: also any host's name. */
export const WORKER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const workerName = textLike(WORKER_NAME, "a name of letters, digits, '.', '_' and '-', at most 63");

/** What a worker has, and what a project or a pipeline asks for; each once, in order. */
export const labels = oneOrMany(
  textLike(
    /^[a-z0-9][a-z0-9._-]{0,31}$/,
    "a label of lower-case letters, digits, '.', '_' and '-', at most 32, such as big",
  ),
  "labels such as big",
).transform((written): readonly string[] => [...new Set(written)].toSorted());

/** Certificates for a Redis over TLS (rediss://): of its authority, and of ourselves where it asks for one. */
export const redisTls = section({
  ca: text("a path").optional(),
  cert: text("a path").optional(),
  key: text("a path").optional(),
});

/** The bucket in which workers on other machines leave their builds' files for the bot. */
export const store = section({ bucket: bucketName, ...bucketKeys }).transform(
  ({ bucket, ...keys }): Bucket => toBucket(bucket, keys),
);
