/** A bucket of the S3 of the tests, as a configuration names it. */
import { type Bucket, Secret } from "../../src/config.ts";
import { S3_KEY, type S3TestServer } from "./s3-server.ts";

export function testBucket(s3: Pick<S3TestServer, "endpoint">, bucket: string, more: Partial<Bucket> = {}): Bucket {
  return {
    bucket,
    endpoint: s3.endpoint,
    region: undefined,
    accessKey: new Secret(S3_KEY.accessKey),
    secretKey: new Secret(S3_KEY.secretKey),
    pathStyle: true,
    storageClass: undefined,
    ...more,
  };
}
