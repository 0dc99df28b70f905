/** `!verify` and `!rollback`, as they are typed and answered. */
import { expect, test } from "vitest";
import { startReleases } from "../../jobs/release.ts";
import { createVerifyRelease } from "../../src/releases/publish/verify-release.ts";
import { openRecords } from "../support/records.ts";
import { BUCKET, openReleaseSite } from "../support/release-site.ts";
import { openTalk } from "../support/talk.ts";

const ADA = { trusted: true };

test("!verify says what the bucket serves, of the latest or of the version that is named", async () => {
  await using site = await openReleaseSite();
  const talk = openTalk(site.records, { verifyRelease: createVerifyRelease(site.scene) });
  expect(await talk.ask("!verify docker", ADA)).toEqual(["nothing of docker is published yet."]);
  await site.published("0.9.0");
  expect(await talk.ask("!verify docker", ADA)).toEqual([
    "✔ docker 0.9.0 is as it was signed · 3 files (86 KiB) · latest is 0.9.0 · https://ci.example.org/releases/R1",
  ]);
  await site.server.corrupt(BUCKET, "docker/0.9.0/install.sh");
  expect(await talk.ask("!verify docker 0.9.0", ADA)).toEqual([
    `✘ docker 0.9.0 is not what was signed · s3://${BUCKET}/docker/0.9.0/ · latest is 0.9.0`,
    "install.sh has other content",
  ]);
  expect((await talk.ask("!verify docker nine", ADA)).join()).toContain("!verify <project> [version]");
  await site.server.stop();
  expect((await talk.ask("!verify docker", ADA)).join()).toContain(`s3://${BUCKET}`);
});

test("!verify where nothing is released", async () => {
  await using records = await openRecords();
  expect(await openTalk(records).ask("!verify docker", ADA)).toEqual(["no releases are configured here."]);
});

test("!rollback waits for approvals as a release does, and then moves latest alone", async () => {
  await using site = await openReleaseSite("", (text) => text.replace("approvals: 2", "approvals: 1"));
  const talk = openTalk(site.records);
  expect((await talk.ask("!rollback docker 0.8.1", ADA)).join()).toContain("was not published from here");
  await site.published("0.8.1");
  await site.published("0.9.0");
  const asked = await talk.ask("!rollback docker 0.8.1", ADA);
  expect(asked[0]).toContain("R3 docker back to 0.8.1 waits for approval");
  const release = (await site.releases.latest(1))[0];
  expect(release?.state.kind).toBe("waiting");
  expect(await site.latest()).toBe("0.9.0\n");
  await using _driver = startReleases(site.scene);
  expect(await site.latest()).toBe("0.9.0\n");
});
