/** A cancel reaches the build at work, whenever it was said and whatever Redis does meanwhile. */
import { describe, expect, test } from "vitest";
import { watchCancellations } from "../../src/builds/cancellations.ts";
import { Cancelled, HandedOver } from "../../src/pipeline/stop.ts";
import { openRecords } from "../support/records.ts";
import { waitFor } from "../support/wait-for.ts";

async function watching() {
  const records = await openRecords();
  const cancellations = await watchCancellations(records.builds, records.redis.open(), records.log);
  return {
    ...records,
    cancellations,
    async [Symbol.asyncDispose]() {
      await cancellations[Symbol.asyncDispose]();
      await records[Symbol.asyncDispose]();
    },
  };
}

describe("a cancel", () => {
  test("aborts the build that it names, with who said it and why, and no other", async () => {
    await using site = await watching();
    const [first, second] = [await site.begin(await site.create()), await site.begin(await site.create())];
    const [one, two] = [await site.cancellations.watch(first.number), await site.cancellations.watch(second.number)];
    await site.builds.cancel(first.number, "ada", "enough");
    await waitFor("the abort", () => one.signal.aborted);
    expect(one.signal.reason).toBeInstanceOf(Cancelled);
    expect(one.signal.reason).toMatchObject({ by: "ada", reason: "enough" });
    expect(two.signal.aborted).toBe(false);
  });

  test("that was said while nobody worked on the build is found by the one who goes on with it", async () => {
    await using site = await watching();
    const build = await site.begin(await site.create());
    await site.builds.cancel(build.number, "ada", undefined);
    const { signal } = await site.cancellations.watch(build.number);
    expect(signal.reason).toMatchObject({ by: "ada" });
  });

  test("that was said while our connection was away is found when it is back", async () => {
    await using site = await watching();
    const build = await site.begin(await site.create());
    const { signal } = await site.cancellations.watch(build.number);
    // Its news goes to nobody; the request itself is kept beside the record.
    const request = JSON.stringify({ number: build.number, by: "ada" });
    await site.redis.commands.set(`docker-ci:cancel:${build.number}`, request);
    expect(signal.aborted).toBe(false);
    await site.redis.commands.call("CLIENT", "KILL", "TYPE", "pubsub");
    await waitFor("the abort", () => signal.aborted);
    expect(signal.reason).toMatchObject({ by: "ada" });
  });

  test("that cannot be read is a line in the log, and the next is heard", async () => {
    await using site = await watching();
    const build = await site.begin(await site.create());
    const { signal } = await site.cancellations.watch(build.number);
    for (const text of ["{", "7", '{"number":"x"}']) await site.redis.commands.publish(site.builds.cancelChannel, text);
    await site.builds.cancel(build.number, "ada", undefined);
    await waitFor("the abort", () => signal.aborted);
    expect(site.entries(40).map(({ msg }) => msg)).toEqual(Array(3).fill("a cancel that cannot be read"));
  });
});

test("a stop hands over what is at work, and what begins after it", async () => {
  await using site = await watching();
  const [first, second] = [await site.begin(await site.create()), await site.begin(await site.create())];
  const before = await site.cancellations.watch(first.number);
  site.cancellations.handOver();
  const after = await site.cancellations.watch(second.number);
  expect([before.signal.reason, after.signal.reason]).toEqual([expect.any(HandedOver), expect.any(HandedOver)]);
});
