/** Signature Version 4 as S3 checks it, written from its description and not with the SDK that it is to check. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { S3Error } from "./s3-xml.ts";

export interface S3Key {
  readonly accessKey: string;
  readonly secretKey: string;
  /** The buckets it may use; undefined: all. */
  readonly buckets?: readonly string[];
  /** Every write is an AccessDenied. */
  readonly readOnly?: boolean;
}

export interface SignedRequest {
  readonly method: string;
  /** As it came: encoded, with its query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

const SKEW_MAX_MS = 15 * 60_000;
const CREDENTIAL =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** @param now the server's. @throws S3Error as S3 answers it. */
export function checkSignature(request: SignedRequest, keys: readonly S3Key[], now: Date): S3Key {
  const { authorization } = request.headers;
  if (authorization === undefined) throw new S3Error(403, "AccessDenied", "Access Denied");
  const [, accessKey = "", day = "", region = "", names = "", signature = ""] = CREDENTIAL.exec(authorization) ?? [];
  if (signature === "") {
    throw new S3Error(400, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.");
  }
  const key = keys.find((known) => known.accessKey === accessKey);
  if (key === undefined) {
    throw new S3Error(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
  }
  const time = header(request.headers, "x-amz-date");
  const sent = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(sent - now.getTime()) <= SKEW_MAX_MS)) {
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
    );
  }
  const scope = `${day}/${region}/s3/aws4_request`;
  const signed = ["AWS4-HMAC-SHA256", time, scope, sha256(canonicalRequest(request, names))].join("\n");
  const signingKey = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${key.secretKey}`);
  if (!timingSafeEqual(hmac(signingKey, signed), Buffer.from(signature, "hex"))) {
    throw new S3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  }
  return key;
}

function canonicalRequest({ method, url, headers }: SignedRequest, names: string): string {
  const { pathname, query } = splitUrl(url);
  const signed = names.split(";");
  // What S3 insists on.
  const unsigned = Object.keys(headers).find((name) => name.startsWith("x-amz-") && !signed.includes(name));
  if (unsigned !== undefined || !signed.includes("host")) {
    throw new S3Error(
      403,
      "AccessDenied",
      `There were headers present in the request which were not signed: ${unsigned}`,
    );
  }
  return [
    method,
    pathname,
    query,
    ...signed.map((name) => `${name}:${header(headers, name).trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    header(headers, "x-amz-content-sha256"),
  ].join("\n");
}

function splitUrl(url: string): { readonly pathname: string; readonly query: string } {
  const [pathname = "/", raw = ""] = url.split("?");
  const pairs = raw === "" ? [] : raw.split("&").map((pair) => (pair.includes("=") ? pair : `${pair}=`));
  return { pathname, query: pairs.sort().join("&") };
}

export function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
