/** Whose comments count where the webhook does not say it: the forge is asked with the configured token. */
import { expect, test } from "vitest";
import { forgeApis } from "../../adapters/forge/apis.ts";
import type { Commented } from "../../src/triggers/change.ts";
import { createHookJournal } from "../../src/web/hooks/journal.ts";
import { BAD_GATEWAY, FORGE_TOKEN, type ForgeServer, startForge } from "../support/forge-server.ts";
import { NOW } from "../support/records.ts";
import { DOCKER, openTriggers } from "./scene.ts";

const RETEST: Commented = { kind: "comment", project: DOCKER, by: "eve", userId: 7, number: 12, command: "retest" };
const BUILT = { kind: "built", builds: [1] };

async function openForge(
  kind: "gitea" | "gitlab",
  { url, host }: ForgeServer,
  token: string | undefined = FORGE_TOKEN,
) {
  const scene = await openTriggers(
    { forge: `${kind}:${host}/distribution/distribution`, pull_requests: "run" },
    () => `${kind}: [{ url: "${url}"${token === "" ? "" : `, token: ${token}`} }]`,
    { forgeApis: (config) => forgeApis(config, "1.0.0") },
  );
  const { git, commit } = scene.repository;
  await commit("first", { "a.go": "1\n" });
  await git("update-ref", "refs/pull/12/head", "main");
  return scene;
}

test.each([
  ["gitea", "eve", "write", "read"],
  ["gitlab", "7", 30, 20],
] as const)(
  "on %s a comment counts of who may push, and is asked about anew each time",
  async (kind, who, may, mayNot) => {
    await using forge = await startForge(kind);
    await using scene = await openForge(kind, forge);
    forge.people.set(who, mayNot);
    const none = { kind: "skipped", reason: "eve is no collaborator" };
    expect(await scene.triggers.take(RETEST, "c1")).toEqual(none);
    forge.people.set(who, may);
    expect(await scene.triggers.take(RETEST, "c2")).toEqual(BUILT);
    forge.people.delete(who);
    expect(await scene.triggers.take(RETEST, "c3")).toEqual(none);
  },
);

test("what the webhook tells is believed, and nobody is asked", async () => {
  await using forge = await startForge("gitea");
  await using scene = await openForge("gitea", forge);
  expect(await scene.triggers.take({ ...RETEST, isCollaborator: true }, "c1")).toEqual(BUILT);
  expect(await scene.triggers.take({ ...RETEST, isCollaborator: false }, "c2")).toMatchObject({ kind: "skipped" });
  expect(forge.calls).toEqual([]);
});

test("a forge that is away is asked again; one that will not tell is not, and the reason is told", async () => {
  await using forge = await startForge("gitea");
  await using scene = await openForge("gitea", forge);
  forge.people.set("eve", "write");
  forge.faults.push(BAD_GATEWAY);
  await expect(scene.triggers.take(RETEST, "c1")).rejects.toMatchObject({ retryable: true });
  expect(await scene.triggers.take(RETEST, "c1")).toEqual(BUILT);
  forge.isAdmin = false;
  expect(await scene.triggers.take(RETEST, "c2")).toEqual({
    kind: "skipped",
    reason: expect.stringMatching(/^nobody can tell whether eve is a collaborator: .*Only admins can query/),
  });
});

test("without a token nobody but the owner is believed, and the reason is told", async () => {
  await using forge = await startForge("gitlab");
  await using scene = await openForge("gitlab", forge, "");
  expect(await scene.triggers.take(RETEST, "c1")).toEqual({
    kind: "skipped",
    reason: "nobody can tell whether eve is a collaborator: gitlab has no token to ask with",
  });
});

test("who said it is still known after a restart", async () => {
  await using forge = await startForge("gitea");
  await using scene = await openForge("gitea", forge);
  const { redis, log } = scene.records;
  const noted = { id: "d1", change: RETEST, at: NOW };
  await createHookJournal(redis.commands, log).write(["d1"], [noted]);
  expect(await createHookJournal(redis.commands, log).others(new Set())).toEqual([noted]);
});
