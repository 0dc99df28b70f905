/** Versions in the order of https://semver.org/#spec-item-11. */
import { expect, test } from "vitest";
import { Version } from "../../src/releases/release.ts";
import { compareVersions, isSemver } from "../../src/releases/version.ts";

/** The specification's own row, and numbers that are no words. */
const IN_ORDER = [
  "2026-03-01",
  "0.8.1",
  "0.10.0",
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "2.0.0",
  "2.1.0",
  "2.1.1",
  "10.0.0",
];

test("every version comes after those before it, and is as high as itself", () => {
  for (const [at, version] of IN_ORDER.entries()) {
    expect(Version.safeParse(version).success).toBe(true);
    expect(compareVersions(version, version)).toBe(0);
    for (const lower of IN_ORDER.slice(0, at)) {
      expect([lower, version, Math.sign(compareVersions(lower, version))]).toEqual([lower, version, -1]);
      expect(Math.sign(compareVersions(version, lower))).toBe(1);
    }
  }
});

test.each([
  ["1.4.0", true],
  ["1.4.0-rc.1", true],
  ["2026-03-01", false],
])("%s is a release's version: %s", (version, is) => {
  expect(isSemver(version)).toBe(is);
});
