/** What an error of Amazon's client means for whoever configured the bucket. The one place that knows its names. */
import { z } from "zod";
import type { Bucket } from "../../src/config.ts";
import { RuntimeError } from "../../src/errors.ts";
import { cleanName } from "../../src/results/clean-name.ts";

const Thrown = z.object({
  name: z.string().catch(""),
  message: z.string().catch(""),
  code: z.string().optional().catch(undefined),
  Region: z.string().optional().catch(undefined),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).catch({}),
});

const MESSAGE_LENGTH = 200;
const NEVER = { retryable: false };

/** `s3://test.example.org` */
export function storeName({ bucket }: Bucket): string {
  return `s3://${bucket}`;
}

/** By the name that S3 gives it: `NoSuchKey`; of an answer without a body `NotFound`. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

/** @param what was to be done: `write there`. */
export function readFailure(error: unknown, bucket: Bucket, what: string): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const thrown = Thrown.parse(error instanceof Error ? error : {});
  const name = storeName(bucket);
  const host = bucket.endpoint ?? "Amazon S3";
  const status = thrown.$metadata.httpStatusCode;
  const said = clean(thrown.message, bucket);
  // The error itself holds requests and answers with their headers, which have no place in a log.
  const cause = new Error(`${thrown.name}${status === undefined ? "" : ` (${status})`}: ${said}`);
  const never = (sentence: string): RuntimeError => new RuntimeError(`${name}: ${sentence}`, { cause, ...NEVER });
  const later = (sentence: string): RuntimeError => new RuntimeError(`${name}: ${sentence}`, { cause });

  switch (thrown.name) {
    case "NoSuchBucket":
      return never(`there is no such bucket at ${host}; docker-ci never makes one`);
    case "AccessDenied":
    case "AllAccessDisabled":
    case "Forbidden":
      return never(`the access key may not ${what}`);
    case "InvalidAccessKeyId":
      return never("the access key is not known there");
    case "SignatureDoesNotMatch":
      return never("the secret key does not fit the access key");
    case "ExpiredToken":
    case "InvalidToken":
    case "TokenRefreshRequired":
      return never("the credentials are no longer good");
    case "CredentialsProviderError":
      return never("no access_key is configured, and the usual places hold none (AWS_ACCESS_KEY_ID, ~/.aws)");
    case "RequestTimeTooSkewed":
      return later("the clock here and the clock there differ too much; set this machine's");
    case "AuthorizationHeaderMalformed":
    case "PermanentRedirect":
    case "IllegalLocationConstraintException":
      return never(
        `the bucket is in another region${thrown.Region === undefined ? "" : `, ${thrown.Region}`}; set region`,
      );
    case "InvalidStorageClass":
      return never(`the storage class ${bucket.storageClass} is not known there`);
    case "BadDigest":
    case "XAmzContentSHA256Mismatch":
      return later("what arrived there is not what was sent");
    case "SlowDown":
    case "ServiceUnavailable":
      return later(`the server asks for patience (${status ?? 503} ${thrown.name})`);
    case "TimeoutError":
      return later(`${host} does not answer in time`);
  }
  const { code = "" } = thrown;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return later(`there is no host ${hostOf(bucket)} (${code})`);
  if (code === "ECONNREFUSED") return later(`nobody answers at ${host} (${code})`);
  if (code === "EPROTO") return never(`${host} does not speak TLS there; should it be http://?`);
  if (/CERT|SIGNATURE|SELF_SIGNED|TLS/.test(code)) {
    return never(
      `the certificate of ${hostOf(bucket)} is not trusted (${code}); NODE_EXTRA_CA_CERTS names an authority`,
    );
  }
  if (status !== undefined && status >= 500) return later(`the server does not work now (${status} ${thrown.name})`);
  if (status === 403) return never(`the access key may not ${what}`);
  if (status !== undefined && status >= 400) return never(`the server refuses to ${what} (${thrown.name}: ${said})`);
  return later(`${host} cannot be reached (${code === "" ? said : code})`);
}

function hostOf({ endpoint, bucket }: Bucket): string {
  return endpoint === undefined ? `${bucket}.s3.amazonaws.com` : new URL(endpoint).hostname;
}

function clean(message: string, { accessKey, secretKey }: Bucket): string {
  const secrets = [accessKey, secretKey].flatMap((one) => (one === undefined ? [] : [one.reveal()]));
  return cleanName(secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), message)).slice(
    0,
    MESSAGE_LENGTH,
  );
}
