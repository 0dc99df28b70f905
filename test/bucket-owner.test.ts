/** A bucket belongs to one deployment, so that staging cannot publish where production does (O-130). */
import { expect, test } from "vitest";
import { S3_SETTINGS } from "../adapters/s3/client.ts";
import { openS3 } from "../adapters/s3/index.ts";
import { bucketsOf, claimBucket, claimBuckets, OWNER_KEY } from "../src/bucket-owner.ts";
import { parseConfig } from "../src/config.ts";
import { ConfigError } from "../src/errors.ts";
import type { ObjectStore } from "../src/object-store.ts";
import { testBucket } from "./support/s3-bucket.ts";
import { startS3 } from "./support/s3-server.ts";

const never = new AbortController().signal;
const QUICK = { ...S3_SETTINGS, attempts: 2 };

function parse(text: string) {
  return parseConfig(text, { file: "/somewhere/docker-ci.yml", cwd: "/somewhere", env: {} });
}

test("the first deployment keeps the bucket and no other may write there", async () => {
  await using s3 = await startS3({ buckets: ["releases"] });
  await using store = openS3(testBucket(s3, "releases"), QUICK);
  await claimBucket(store, "production", never);
  await claimBucket(store, "production", never);
  const refused = claimBucket(store, "staging", never);
  await expect(refused).rejects.toThrow(
    "s3://releases belongs to the production docker-ci; this is staging: give it a bucket of its own",
  );
  await expect(refused).rejects.toBeInstanceOf(ConfigError);
  expect((await s3.read("releases", OWNER_KEY)).toString()).toBe("production");
  expect(s3.requests.filter(({ method }) => method === "PUT")).toHaveLength(1);
});

test("of two that come at once one wins, and the same deployment started twice is content", async () => {
  await using s3 = await startS3({ buckets: ["releases"] });
  await using store = openS3(testBucket(s3, "releases"), QUICK);
  // Nobody finds an owner: both have looked before either wrote.
  const together = (deployment: "production" | "staging"): Promise<void> => {
    let looks = 0;
    const blind: ObjectStore = {
      ...store,
      get: async (key, signal) => {
        looks += 1;
        return looks === 1 ? undefined : store.get(key, signal);
      },
    };
    return claimBucket(blind, deployment, never);
  };
  const outcomes = await Promise.allSettled([
    together("production"),
    together("staging"),
    together("production"),
    together("staging"),
  ]);
  const owner = (await s3.read("releases", OWNER_KEY)).toString();
  expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(
    ["production", "staging", "production", "staging"].map((deployment) => deployment === owner),
  );
});

test("what stands there and is no deployment is refused as well", async () => {
  await using s3 = await startS3({ buckets: ["releases"] });
  await using store = openS3(testBucket(s3, "releases"), QUICK);
  await store.put(OWNER_KEY, Buffer.from("x".repeat(1000)), {}, never);
  await expect(claimBucket(store, "local", never)).rejects.toThrow("s3://releases belongs to the unknown docker-ci;");
});

test("at the start, another's buckets are refused together, and one that is away refuses nothing", async () => {
  await using s3 = await startS3({ buckets: ["ours", "theirs"] });
  const at = `endpoint: "${s3.endpoint}", access_key: AKIDOCKERCITEST, secret_key: "very/secret+key"`;
  await using theirs = openS3(testBucket(s3, "theirs"), QUICK);
  await claimBucket(theirs, "production", never);
  const config = parse(`
deployment: staging
projects: { docker: { repo: /somewhere/docker } }
releases: { docker: { bucket: theirs, ${at}, nightly: { bucket: ours, ${at} } } }
backup: { bucket: nowhere, ${at} }
`);
  const open = async (bucket: Parameters<typeof openS3>[0]) => openS3(bucket, QUICK);
  await expect(claimBuckets(config, open, never)).rejects.toThrow(
    "The configuration cannot be used:\n  s3://theirs belongs to the production docker-ci; this is staging: give it a bucket of its own",
  );
  expect((await s3.read("ours", OWNER_KEY)).toString()).toBe("staging");
  await claimBuckets({ ...config, releases: new Map() }, open, never);
});

test("within one configuration a bucket may serve several ends, and is asked once", () => {
  const config = parse(`
projects: { docker: { repo: /somewhere/docker } }
releases: { docker: { bucket: one-bucket, nightly: true } }
backup: { bucket: one-bucket, targets: [{ bucket: other, region: eu-west-1 }] }
`);
  expect(bucketsOf(config).map(({ bucket, uses }) => [bucket.bucket, uses])).toEqual([
    ["one-bucket", ["releases of docker", "nights of docker", "backups"]],
    ["other", ["backups"]],
  ]);
  expect(bucketsOf({ releases: new Map(), backup: undefined })).toEqual([]);
});
