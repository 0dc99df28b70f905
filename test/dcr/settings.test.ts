/** `settings.yml`: clusters, ways to the hosts, gateways (O-156). */
import { describe, expect, test } from "vitest";
import { shownAddress } from "../../dcr/gateways/redis-address.ts";
import { registryOf } from "../../dcr/registry-login.ts";
import { parseSettings } from "../../dcr/settings.ts";
import { sshArguments } from "../../dcr/ssh.ts";
import { ConfigError } from "../../src/errors.ts";

function settings(text: string, cluster?: string) {
  const common = { file: "settings.yml", path: "/etc/dcr/settings.yml", environment: { REDIS_PWD: "hush" } };
  return parseSettings(text, cluster === undefined ? common : { ...common, cluster });
}

describe("a daemon is reached as its address says", () => {
  test.each([
    ["unix:///run/docker.sock", {}, { kind: "unix", path: "/run/docker.sock" }],
    ["tcp://10.0.0.5:4243", {}, { kind: "tcp", host: "10.0.0.5", port: 4243, tls: false }],
    ["https://10.0.0.5", {}, { kind: "tcp", host: "10.0.0.5", port: 2376, tls: true }],
    ["ssh://ada@big.example.org:2222", {}, { kind: "ssh", host: "big.example.org", user: "ada", port: 2222 }],
    ["ssh://big.example.org", { ssh_user: "docker" }, { kind: "ssh", host: "big.example.org", user: "docker" }],
    // The first settings files: through ssh by default.
    ["10.0.0.5:4243", {}, { kind: "ssh", host: "10.0.0.5", enginePort: 4243 }],
    ["http://blue.example.org:4243", { ssh_user: "docker" }, { kind: "ssh", user: "docker", enginePort: 4243 }],
    ["10.0.0.5:4243", { use_ssh: "False" }, { kind: "tcp", host: "10.0.0.5", port: 4243, tls: false }],
    ["10.0.0.5:2376", { tls: { ca: "ca.pem" } }, { kind: "tcp", host: "10.0.0.5", port: 2376, tls: true }],
  ])("%s %j", (address, keys, endpoint) => {
    const { daemons } = settings(JSON.stringify({ default: { daemons: [address], ...keys } }));
    expect(daemons[0]?.endpoint).toMatchObject(endpoint);
  });
});

test("the original's file for production", () => {
  const cluster = settings(
    "default:\n  hipaches: ['192.168.100.67:6379']\n  daemons: ['192.168.100.67:4243']\n  use_ssh: False\n",
  );
  expect(cluster.daemons).toMatchObject([
    { name: "192.168.100.67", host: "192.168.100.67", endpoint: { kind: "tcp" } },
  ]);
  expect(cluster.gateways).toMatchObject([
    { kind: "hipache", address: { kind: "plain", host: "192.168.100.67", port: 6379 } },
  ]);
});

test("files are found beside the settings, hosts of one name are told apart, secrets come from the environment", () => {
  const { daemons, gateways } = settings(`
default:
  daemons: [{ address: "https://10.0.0.5", host: ci.example.org, tls: { ca: tls/ca.pem } }, "unix:///a", "unix:///b"]
  traefiks: [{ address: "rediss://:$REDIS_PWD@10.0.0.6/0", entrypoints: web }]
  use_ssh: true
`);
  expect(daemons.map(({ name, host }) => [name, host])).toEqual([
    ["ci.example.org", "ci.example.org"],
    ["local", "127.0.0.1"],
    ["local#2", "127.0.0.1"],
  ]);
  expect(daemons[0]?.tls?.ca).toBe("/etc/dcr/tls/ca.pem");
  const [traefik] = gateways;
  expect(traefik?.address.kind === "url" && traefik.address.url.reveal()).toBe("rediss://:hush@10.0.0.6/0");
  expect(traefik && shownAddress(traefik.address)).toBe("rediss://10.0.0.6");
  expect(JSON.stringify(gateways)).not.toContain("hush");
});

test("use_ssh: true is for gateways too", () => {
  const { gateways } = settings("default: { daemons: [a], hipaches: ['a:6379'], use_ssh: true, ssh_user: docker }");
  expect(gateways[0]?.address).toMatchObject({ ssh: { user: "docker" } });
});

test("one of several clusters", () => {
  const text = "stage: { daemons: [a] }\nprod: { daemons: [b] }\n";
  expect(settings(text, "prod").daemons[0]?.name).toBe("b");
  expect(() => settings(text)).toThrow("settings.yml has no cluster default. There are stage, prod.");
  expect(() => settings(text, "pord")).toThrow("settings.yml has no cluster pord. Did you mean prod?");
});

test.each([
  ["default: {}", "settings.yml:1: default.daemons: missing, needed: a list of daemons"],
  ["default:\n  daemon: [a]\n  daemons: [a]", "settings.yml:2: default.daemon: unknown key. Did you mean daemons?"],
  [
    "default: { daemons: ['-oProxyCommand=x'] }",
    /daemons\[0\]: found "-oProxyCommand=x", allowed: a Docker Engine such as/,
  ],
  [
    "default: { daemons: [a], hipaches: ['redis://:$NOPE@a'] }",
    "settings.yml:1: default.hipaches[0]: $NOPE is not set",
  ],
  ["default: { daemons: [a], base_domain: ['a b'] }", /base_domain\[0\]: found "a b", allowed: a domain/],
  ["", "settings.yml: there is no cluster in this file"],
])("a mistake is told with its line: %j", (text, expected) => {
  const thrown = (() => {
    try {
      return settings(text);
    } catch (error) {
      return error;
    }
  })();
  if (!(thrown instanceof ConfigError)) throw new Error("it was taken");
  expect(thrown.problems).toEqual([expected instanceof RegExp ? expect.stringMatching(expected) : expected]);
});

test("ssh is told nothing that a host's name could turn into an option", () => {
  expect(sshArguments({ host: "big", user: "docker", port: 2222 }, "engine")).toEqual(
    "-T -o BatchMode=yes -o ConnectTimeout=10 -l docker -p 2222 -- big docker system dial-stdio".split(" "),
  );
  expect(sshArguments({ host: "big", user: undefined, port: undefined }, { host: "127.0.0.1", port: 80 })).toEqual(
    "-T -o BatchMode=yes -o ConnectTimeout=10 -W 127.0.0.1:80 -- big".split(" "),
  );
});

test.each([
  ["docker-ci/docker-ci", "https://index.docker.io/v1/"],
  ["blue.example.org:49153/dhrp/www", "blue.example.org:49153"],
  ["localhost/x", "localhost"],
])("the login for %s is for %s", (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});
