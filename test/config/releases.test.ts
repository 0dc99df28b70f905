/** `releases:` as it is written, and what is said of what cannot be meant. */
import { expect, test } from "vitest";
import type { ReleaseConfig } from "../../src/config.ts";
import { parseConfig } from "../../src/config.ts";
import { ConfigError } from "../../src/errors.ts";
import { ProjectName } from "../../src/names.ts";

const DOCKER = ProjectName.parse("docker");

function releaseOf(keys: string): ReleaseConfig {
  const text = `projects: { docker: { repo: /docker } }\nreleases: { docker: { bucket: get.example.org, ${keys} } }`;
  const config = parseConfig(text, { file: "/srv/ci/docker-ci.yml", env: { HOME: "/home/ci" }, cwd: "/srv/ci" });
  const release = config.releases.get(DOCKER);
  if (release === undefined) throw new Error("there is no release");
  return release;
}

function problemsOf(keys: string): readonly string[] {
  try {
    releaseOf(keys);
  } catch (error) {
    if (error instanceof ConfigError)
      return error.problems.map((line) => line.replace(/^docker-ci\.yml:\d+: releases\.docker\./, ""));
    throw error;
  }
  return [];
}

test("little is needed; the rest is as the original had it", () => {
  expect(releaseOf("approvals: 2")).toMatchObject({
    target: { bucket: "get.example.org", endpoint: undefined, pathStyle: false },
    approvals: 2,
    expiresMs: 86_400_000,
    ownApproval: false,
    files: [],
    layout: "{project}/{version}/{file}",
    latest: "{project}/latest",
    checksums: [],
    latestFiles: undefined,
    nightly: undefined,
    osNames: { linux: "Linux", darwin: "Darwin", freebsd: "FreeBSD" },
    archNames: { amd64: "x86_64", "386": "i386", arm: "armel" },
  });
});

test.each([
  ["release-key.asc", "/srv/ci/release-key.asc"],
  ["keys/release", "/srv/ci/keys/release"],
  ["~/release.gpg", "/home/ci/release.gpg"],
  ["/etc/docker-ci/key.asc", "/etc/docker-ci/key.asc"],
  ["releasedocker", "releasedocker"],
  ["1A2B3C4D5E6F7A8B", "1A2B3C4D5E6F7A8B"],
])("gpg_key: %s is a file beside the configuration, or a key's id", (written, gpgKey) => {
  expect(releaseOf(`gpg_key: ${written}`).gpgKey).toBe(gpgKey);
});

test("a dollar in a smoke test is the shell's", () => {
  const [step] = releaseOf("smoke_test: [{ name: a, image: b, run: 'test $DOCKER_CI_VERSION = 1' }]").smokeTest;
  expect(step).toMatchObject({ name: "a", run: ["test $DOCKER_CI_VERSION = 1"] });
});

test("files are patterns, or patterns with names", () => {
  expect(releaseOf('files: "dist/*.tgz"').files).toEqual([{ from: "dist/*.tgz", to: undefined }]);
  expect(releaseOf('files: [docs/**, { from: "cross/**", to: "builds/{os}/{arch}/docker-{version}" }]').files).toEqual([
    { from: "docs/**", to: undefined },
    { from: "cross/**", to: "builds/{os}/{arch}/docker-{version}" },
  ]);
});

test("nightly: true is seven o'clock in UTC, false is none (O-33)", () => {
  expect(releaseOf("nightly: true").nightly).toEqual({
    at: "0 7 * * *",
    timezone: "Etc/UTC",
    target: undefined,
    layout: "{project}/nightly/{date}/{file}",
    latest: "{project}/nightly/latest",
    keep: 30,
  });
  expect(releaseOf("nightly: false").nightly).toBeUndefined();
  expect(releaseOf("nightly: { keep: 3 }").nightly).toMatchObject({ at: "0 7 * * *", timezone: undefined, keep: 3 });
});

test("nights have a bucket and credentials of their own; what is not said is as for releases at the same server", () => {
  const release = "endpoint: https://s3.example.org, access_key: one, secret_key: two";
  expect(releaseOf(`${release}, nightly: { bucket: nights.example.org }`).nightly?.target).toMatchObject({
    bucket: "nights.example.org",
    endpoint: "https://s3.example.org",
    pathStyle: true,
  });
  const own = releaseOf(`${release}, nightly: { bucket: nights.example.org, access_key: x, secret_key: y }`).nightly;
  expect(own?.target?.accessKey?.reveal()).toBe("x");
  const elsewhere = releaseOf(`${release}, nightly: { bucket: nights, endpoint: "https://s3.example.com" }`).nightly;
  expect(elsewhere?.target?.accessKey).toBeUndefined();
});

test.each([
  [
    "nightly: sometimes",
    'nightly: found "sometimes", allowed: true, false, or a mapping with the keys at, timezone, bucket, endpoint, region, access_key, secret_key, path_style, storage_class, layout, latest, latest_files, keep',
  ],
  ["nightly: { at: noon }", 'nightly.at: found "noon", allowed: a schedule of five fields such as "0 7 * * *"'],
  ["nightly: { keeps: 3 }", "nightly.keeps: unknown key. Did you mean keep?"],
  [
    'nightly: { layout: "{project}/{version}/{file}" }',
    'nightly.layout: found "{project}/{version}/{file}", allowed: a path with {date}, ending in /{file}, such as {project}/nightly/{date}/{file}',
  ],
  [
    'layout: "{project}/{file}"',
    'layout: found "{project}/{file}", allowed: a path with {version}, ending in /{file}, such as {project}/{version}/{file}',
  ],
  [
    'layout: "../{version}/{file}"',
    'layout: found "../{version}/{file}", allowed: a path with {version}, ending in /{file}, such as {project}/{version}/{file}',
  ],
  [
    'latest: "/latest"',
    'latest: found "/latest", allowed: a path without a slash in front, in which {project} may stand',
  ],
  [
    "latest_files: docker-latest",
    'latest_files: found "docker-latest", allowed: a path ending in {file}, in which {project} may stand, such as {project}/{file}',
  ],
  ["index: { to: index }", "index[0]: missing, needed: a mapping with to, and either from or text"],
  [
    "redirects: { builds/info: builds }",
    'redirects.builds/info: found "builds", allowed: an address, or a path in the bucket that begins with a slash',
  ],
  [
    "redirects: { /info: /builds }",
    "redirects./info: this name cannot stand here, allowed: a path without a slash in front, in which {project} may stand",
  ],
  ["checksums: [sha1]", 'checksums[0]: found "sha1", allowed: sha256 or md5'],
  [
    "smoke_test: [{ name: version, run: x }]",
    "smoke_test[0].image: missing, needed: an earlier build step, or an image such as node:20",
  ],
  [
    "smoke_test: [{ name: a, image: b, artifacts: c }]",
    "smoke_test[0].artifacts: unknown key, allowed: name, run, image, env, services, timeout, idle",
  ],
  [
    "smoke_test: [{ name: a, image: b }, { name: a, image: b }]",
    'smoke_test[1].name: found "a" again (it names step 1), allowed: a name of its own',
  ],
  ["tag: latest", 'tag: found "latest", allowed: a tag\'s name with {version}, such as v{version}'],
  [
    'files: [{ from: a, to: "{arhc}/x" }]',
    'files[0].to: found "{arhc}/x", allowed: a path without a slash in front, in which {project}, {version}, {date}, {file}, {os} and {arch} may stand',
  ],
  ["files: [{ to: x }]", "files[0].from: missing, needed: a path pattern of at most 1,000 characters, such as dist/**"],
  [
    "arch_names: { amd64: 'x/86' }",
    "arch_names.amd64: found \"x/86\", allowed: a name of letters, digits, '.', '_' and '-'",
  ],
])("%s", (keys, problem) => {
  expect(problemsOf(keys)).toEqual([problem]);
});
