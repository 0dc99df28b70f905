/** The `mail:` section: what is filled in, and what is refused. */
import { describe, expect, test } from "vitest";
import { type MailConfig, parseConfig } from "../../src/config.ts";
import { ConfigError } from "../../src/errors.ts";

function mailOf(keys: string): MailConfig | undefined {
  const text = `mail: { host: smtp.example.org, from: ci@example.org, ${keys} }`;
  return parseConfig(text, { file: "/etc/docker-ci.yml", env: {}, cwd: "/" }).mail;
}

// O-74, with "on: failed" below for every failed build
test("mail is encrypted, and tells what changed, unless it is said otherwise (O-14)", () => {
  expect(mailOf("to: ops@example.org")).toMatchObject({
    port: 587,
    tls: "required",
    ca: undefined,
    to: ["ops@example.org"],
    on: ["broken", "fixed", "errored"],
  });
});

test.each<[string, Partial<MailConfig>]>([
  ["tls: off, port: 25", { tls: "off", port: 25 }],
  ["tls: opportunistic", { tls: "opportunistic" }],
  ["on: [failed, fixed]", { on: ["failed", "fixed"] }],
  ["on: failed", { on: ["failed"] }],
  ["ca: authority.pem", { ca: "/etc/authority.pem" }],
  ['to: ["Ops, the <ops@example.org>"]', { to: ["Ops, the <ops@example.org>"] }],
])("%s", (keys, expected) => {
  expect(mailOf(keys)).toMatchObject(expected);
});

describe("is refused", () => {
  test.each([
    ["tls: maybe", "required, opportunistic or off"],
    ["to: [nobody]", "a mail address"],
    ['to: ["a@example.org,b@example.org"]', "a mail address"],
    ['to: ["a@example.org\\nBcc: b@example.org"]', "a mail address"],
    ["on: [everything]", "broken, fixed, errored"],
    ["too: ops@example.org", "Did you mean to?"],
  ])("%s", (keys, allowed) => {
    expect(() => mailOf(keys)).toThrow(ConfigError);
    expect(() => mailOf(keys)).toThrow(allowed);
  });
});
