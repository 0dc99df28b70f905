/** A release on a forge: its notes, and that it is put up once however often that is done. */
import { expect, test } from "vitest";
import { forgeApis } from "../../../adapters/forge/apis.ts";
import { startReleases } from "../../../jobs/release.ts";
import { platformOf } from "../../../src/releases/publish/platform.ts";
import { FORGE_TOKEN, startForge } from "../../support/forge-server.ts";
import { openReleaseSite } from "../../support/release-site.ts";

// O-99: what changed since the last one
test("the forge gets a release with notes, in which a commit's title is text and calls nobody", async () => {
  await using forge = await startForge("github");
  await using site = await openReleaseSite(", forge_release: true", (text) =>
    `github: { token: "${FORGE_TOKEN}", api_url: "${forge.url}" }\n${text}`.replace(
      "{ repo: /repositories/docker }",
      "{ repo: /repositories/docker, forge: github:distribution/distribution }",
    ),
  );
  const scene = { ...site.scene, forgeApis: forgeApis(site.config, "1.0.0") };
  await using _driver = startReleases(scene);
  const { state } = await site.over(await site.approved("0.9.0-rc.1"));
  expect(state).toMatchObject({ kind: "published", warnings: [] });
  expect(forge.releases).toEqual([
    {
      id: 1,
      tag_name: "v0.9.0-rc.1",
      target_commitish: "6".repeat(40),
      name: "0.9.0-rc.1",
      prerelease: true,
      body: expect.stringContaining("sha256sum -c SHA256SUMS && gpg --verify SHA256SUMS.asc SHA256SUMS"),
    },
  ]);
  const notes = forge.releases[0]?.body ?? "";
  expect(notes).toContain("## Since 0.8.1\n\n- Fix \\*all\\* of it, says @\u200beve (6666666, bob)\n");
  expect(notes).toContain(`The key is ${site.signing.key.fingerprint}.`);
  expect(notes).toMatch(/^[0-9a-f]{64} {2}install\.sh$/m);
});

const OS = { linux: "Linux", darwin: "Darwin" };
const ARCH = { amd64: "x86_64", "386": "i386", x86_64: "x86_64", arm: "armel" };

test.each([
  ["cross/linux/amd64/docker-0.9.0", "Linux", "x86_64"],
  ["docker_0.9.0_darwin_386.tgz", "Darwin", "i386"],
  ["docker-Linux-x86_64.tgz", "Linux", "x86_64"],
  ["linux/arm/for-darwin/docker", "Darwin", "armel"],
  ["linuxes/armada/docker", undefined, undefined],
  ["constructor/toString", undefined, undefined],
])("%s is for %s on %s (O-95)", (path, os, arch) => {
  expect(platformOf(path, OS, ARCH)).toEqual({ os, arch });
});
