/** Amazon's client for one bucket, with our patience. */
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { Bucket } from "../../src/config.ts";

export interface S3Settings {
  /** Of one call; from 0.1 s on the pauses between them double and are cut short by chance: eight take 13 s at most. */
  readonly attempts: number;
  readonly connectMs: number;
  /** How long nothing may move on a connection. */
  readonly idleMs: number;
  /** What is larger is copied in parts. */
  readonly copyAtOnceBytes: number;
  readonly copyPartBytes: number;
}

export const S3_SETTINGS: S3Settings = {
  attempts: 8,
  connectMs: 5_000,
  idleMs: 20_000,
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html: no more than that at once.
  copyAtOnceBytes: 5 * 1024 ** 3,
  copyPartBytes: 1024 ** 3,
};

/** Connects to nothing before it is used. @param more in place of what the bucket says. */
export function newClient(bucket: Bucket, settings: S3Settings, more: S3ClientConfig = {}): S3Client {
  // Amazon's own switch for its advice to take another Node, which would stand in every log.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { endpoint, accessKey, secretKey } = bucket;
  return new S3Client({
    // A region is part of every signature; other servers than Amazon's take any.
    region: bucket.region ?? "us-east-1",
    followRegionRedirects: bucket.region === undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKey === undefined || secretKey === undefined
      ? {}
      : { credentials: { accessKeyId: accessKey.reveal(), secretAccessKey: secretKey.reveal() } }),
    forcePathStyle: bucket.pathStyle,
    // Otherwise contents are sent in frames that many servers keep as if they were the content. We ask for SHA-256 ourselves.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: settings.attempts,
    requestHandler: { connectionTimeout: settings.connectMs, socketTimeout: settings.idleMs },
    ...more,
  });
}
