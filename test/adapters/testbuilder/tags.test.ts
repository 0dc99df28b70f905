/** A tag that is set from the testbuilder in a repository elsewhere, with the credentials of its address. */
import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { expect, test } from "vitest";
import { connectDocker } from "../../../adapters/docker/index.ts";
import { openTestbuilder } from "../../../adapters/testbuilder/index.ts";
import { GitRef, Sha } from "../../../src/names.ts";
import { BASE_IMAGE, never } from "../../support/docker.ts";
import { removeVolume } from "../../support/docker-volume.ts";
import { openGitRepository, serveByHttp } from "../../support/git-servers.ts";

test("a tag is set at a commit below the tip, once, and never moved", async () => {
  await using repository = await openGitRepository();
  const first = Sha.parse(await repository.commit("first", { a: "1\n" }));
  const second = Sha.parse(await repository.commit("second", { a: "2\n" }));
  await repository.git("config", "http.receivepack", "true");
  await using server = await serveByHttp(repository.root, { user: "ada", password: "hunter2" });
  const address = server.address.replace("http://", "http://ada:hunter2@");
  const instance = `test-${randomBytes(5).toString("hex")}`;
  const cacheVolume = `docker-ci-${instance}`;
  const log = pino({ enabled: false });
  const options = { baseImage: BASE_IMAGE, cacheVolume, repositories: [address], instance, log };
  await using testbuilder = openTestbuilder({ runtime: connectDocker(undefined), ...options });
  const tag = GitRef.parse("v0.9.0");
  await testbuilder.tag(address, tag, first, never);
  expect(await repository.git("rev-parse", "v0.9.0")).toBe(first);
  await testbuilder.tag(address, tag, first, never);
  await expect(testbuilder.tag(address, tag, second, never)).rejects.toThrow(
    `the tag v0.9.0 is at ${first.slice(0, 7)} already`,
  );
  await repository.git("config", "http.receivepack", "false");
  await expect(testbuilder.tag(address, GitRef.parse("v0.9.1"), second, never)).rejects.toThrow(/^cannot reach http/);
  await expect(testbuilder.tag(repository.path, tag, second, never)).rejects.toThrow(
    "is only read here: git tag v0.9.0",
  );
  await testbuilder[Symbol.asyncDispose]();
  await removeVolume(cacheVolume);
});
