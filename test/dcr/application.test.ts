/** Application files: every key, and what is said of a wrong one (O-153 to O-157). */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseApplications } from "../../dcr/application.ts";
import { splitWords } from "../../dcr/command.ts";
import { parseEnvironmentEntry, takeEnvironment, unsetNames } from "../../dcr/environment.ts";
import { parsePorts } from "../../dcr/ports.ts";
import { parseSettings } from "../../dcr/settings.ts";
import { parseVolume } from "../../dcr/volumes.ts";
import { ConfigError } from "../../src/errors.ts";

function problems(text: string): readonly string[] {
  try {
    parseApplications(text, "app.yml");
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("ports (O-154)", () => {
  test.each([
    ["80", [["80/tcp", "", ""]]],
    ["2222:22", [["22/tcp", "", "2222"]]],
    ["127.0.0.1:8080:80/tcp", [["80/tcp", "127.0.0.1", "8080"]]],
    ["127.0.0.1::80", [["80/tcp", "127.0.0.1", ""]]],
    ["[::1]:8080:80", [["80/tcp", "::1", "8080"]]],
    ["53:53/udp", [["53/udp", "", "53"]]],
    [
      "7000-7001",
      [
        ["7000/tcp", "", ""],
        ["7001/tcp", "", ""],
      ],
    ],
    [
      "9000-9001:7000-7001",
      [
        ["7000/tcp", "", "9000"],
        ["7001/tcp", "", "9001"],
      ],
    ],
    ["9000-9010:80", [["80/tcp", "", "9000-9010"]]],
  ])("%s", (text, expected) => {
    expect(parsePorts(text)?.map(({ container, hostIp, hostPort }) => [container, hostIp, hostPort])).toEqual(expected);
  });

  test.each(["", "0", "70000", "80/sctp", "a:80", "1-2:1-3", "9-7", "1:2:3", "80:", "host:80:80"])(
    "%j is none",
    (text) => {
      expect(parsePorts(text)).toBeUndefined();
    },
  );
});

describe("volumes (O-154)", () => {
  test.each([
    ["/run:/var/socket", { source: "/run", target: "/var/socket", readOnly: false }],
    ["/data", { source: undefined, target: "/data", readOnly: false }],
    ["/etc/ssl/:/etc/ssl:ro", { source: "/etc/ssl", target: "/etc/ssl", readOnly: true }],
    ["cache:/cache:rw", { source: "cache", target: "/cache", readOnly: false }],
  ])("%s", (text, expected) => {
    expect(parseVolume(text)).toEqual(expected);
  });

  test.each(["", "data", "./here:/data", "/a:b", "/a:/b:rx", "/a:/b:/c", "/a:/", "ro"])("%j is none", (text) => {
    expect(parseVolume(text)).toBeUndefined();
  });
});

describe("environment (O-155)", () => {
  const entries = ["A=1", "B=x=$y", "EMPTY=", "$TOKEN", "$MAYBE?", "A=2"].flatMap(
    (text) => parseEnvironmentEntry(text) ?? [],
  );

  test("takes what stands there, and what the caller has; of two the last counts", () => {
    const taken = takeEnvironment(entries, { TOKEN: "t:1" });
    expect([...taken].map(([name, value]) => [name, value.reveal()])).toEqual([
      ["A", "2"],
      ["B", "x=$y"],
      ["EMPTY", ""],
      ["TOKEN", "t:1"],
    ]);
  });

  test("a name that is not set is told, unless it may be left out", () => {
    expect(unsetNames(entries, {})).toEqual(["TOKEN"]);
    expect(unsetNames(entries, { TOKEN: "" })).toEqual([]);
  });

  test.each(["TOKEN", "$", "$1A", "$A B", "=x", "A?=1"])("%j is none", (text) => {
    expect(parseEnvironmentEntry(text)).toBeUndefined();
  });

  test("no value is printed by chance", () => {
    expect(JSON.stringify([...takeEnvironment(entries, { TOKEN: "hush" })])).not.toContain("hush");
  });
});

test.each([
  ["sleep 200", ["sleep", "200"]],
  [`sh -c 'echo "a b"' "c\\"d" e\\ f`, ["sh", "-c", 'echo "a b"', 'c"d', "e f"]],
  ["", []],
  ["it's", undefined],
])("a command of one text, %j", (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test("every key of the original's files, and of its samples (O-153)", () => {
  const [registry, web] = parseApplications(
    `
registry:
  image: "stackbrew/registry"
  ports: ['5000']
  cmd: ["cd /docker-registry && ./run.sh"]
web:
  image: "blue3.example.org:49153/dhrp/www.docker.com"
  command: ["python", "/website/manage.py"]
  hostname: www
  ports: ["80", "2222:22"]
  register: 80
  volumes: ["/tmp:/logs"]
  env: ["A=1", "$B"]
  links: ["registry:parent"]
  release_name: "web-0.2"
  registry_login: "$USER:$PASS:$EMAIL"
`,
    "app.yml",
  );
  expect(registry).toMatchObject({
    name: "registry",
    container: "registry",
    command: ["/bin/sh", "-c", "cd /docker-registry && ./run.sh"],
  });
  expect(web).toMatchObject({
    container: "web-0.2",
    command: ["python", "/website/manage.py"],
    hostname: "www",
    register: "80/tcp",
    links: [{ target: "registry", alias: "parent" }],
  });
});

test("a link goes to the container of the application that it names", () => {
  const [, web] = parseApplications(
    "db: { image: a, release_name: db-2 }\nweb: { image: b, links: ['db:database', other] }\n",
    "app.yml",
  );
  expect(web?.links).toEqual([
    { target: "db-2", alias: "database" },
    { target: "other", alias: "other" },
  ]);
});

test.each([
  ["", ["app.yml: there is no application in this file"]],
  ["web: {}", [/^app\.yml:1: web\.image: missing, needed: an image/]],
  ["web:\n  image: a\n  prots: ['80']", ["app.yml:3: web.prots: unknown key. Did you mean ports?"]],
  ["web:\n  image: a\n  name: web", [/^app\.yml:3: web\.name: unknown key\. Did you mean/]],
  ["web: { image: a, ports: ['x'] }", [/^app\.yml:1: web\.ports\[0\]: found "x", allowed: a port such as "8000"/]],
  [
    "web: { image: a, register: 80 }",
    ["app.yml:1: web.register: port 80/tcp is not among ports, so no gateway could reach it"],
  ],
  [
    "web: { image: a, volumes: ['./x:/y'] }",
    [/^app\.yml:1: web\.volumes\[0\]: found "\.\/x:\/y", allowed: a volume such as/],
  ],
  ["web: { image: a, env: [hush] }", [/^app\.yml:1: web\.env\[0\]: found a text, allowed: "NAME=value"/]],
  [
    "web: { image: a, command: [a], cmd: [b] }",
    ["app.yml:1: web.cmd: command and cmd say the same, allowed: one of them"],
  ],
  [
    "web: { image: a, links: [db] }\ndb: { image: b }",
    ["app.yml:1: web.links: db is started after web; put it before"],
  ],
  [
    "aa: { image: a, release_name: one }\nbb: { image: b, release_name: one }",
    ["app.yml:2: bb.release_name: aa has a container of that name (one) too"],
  ],
  ["web: { image: a, restart: sometimes }", [/restart: found "sometimes", allowed: "no", always, unless-stopped/]],
  [
    "web: { image: a, network: host, links: [b] }",
    ["app.yml:1: web.links: a container with the network host is in no other"],
  ],
])("a mistake is told with its line and what is allowed: %j", (text, expected) => {
  const found = problems(text);
  expect(found).toHaveLength(expected.length);
  for (const [index, line] of expected.entries())
    expect(found[index]).toEqual(line instanceof RegExp ? expect.stringMatching(line) : line);
});

describe("the samples show every key, and are right", () => {
  const read = (file: string) => readFile(new URL(`../../dcr/samples/${file}`, import.meta.url), "utf8");
  const Samples = z.record(z.string(), z.record(z.string(), z.unknown()));
  const keysOf = (text: string) =>
    new Set(Object.values(Samples.parse(parse(text))).flatMap((entry) => Object.keys(entry)));
  /** What an unknown key is told to be allowed. */
  const allowed = (thrown: unknown) =>
    /unknown key, allowed: (.*)/.exec(thrown instanceof Error ? thrown.message : "")?.[1]?.split(", ") ?? [];
  const caught = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return error;
    }
  };

  test("of an application", async () => {
    const text = await read("application.yml");
    expect(parseApplications(text, "application.yml").map(({ name }) => name)).toEqual([
      "redis",
      "web",
      "job",
      "gateway",
    ]);
    const keys = allowed(caught(() => parseApplications("web: { image: a, zzzzzzzz: 1 }", "app.yml")));
    expect([...keysOf(text)].sort()).toEqual(keys.sort());
  });

  test("of settings", async () => {
    const text = await read("settings.yml");
    const settings = (source: string, cluster: string) =>
      parseSettings(source, { file: "settings.yml", path: "/settings.yml", cluster, environment: {} });
    expect(settings(text, "default").daemons).toHaveLength(5);
    expect(settings(text, "stage").daemons[0]?.endpoint).toMatchObject({
      kind: "ssh",
      user: "docker",
      enginePort: 4243,
    });
    const keys = allowed(caught(() => settings("x: { daemons: [a], zzzzzzzz: 1 }", "x")));
    expect([...keysOf(text)].sort()).toEqual(keys.sort());
  });
});

const File = z.record(z.string(), z.looseObject({ env: z.array(z.string()) }));

describe("the files for production and staging (O-130, O-131)", () => {
  const read = async (where: string) => {
    const text = await readFile(new URL(`../../dcr/${where}/docker-ci.yml`, import.meta.url), "utf8");
    return { application: parseApplications(text, "docker-ci.yml")[0], written: File.parse(parse(text))["docker-ci"] };
  };

  test("take every name that the original took, and Slack's if they are set", async () => {
    const { application } = await read("prod");
    const taken = application?.env.filter((entry) => entry.kind === "taken") ?? [];
    expect(taken.filter(({ optional }) => !optional).map(({ name }) => name)).toEqual(
      (
        "WEB_USER WEB_IRC_PWD BUILDBOT_PWD AWS_ACCESS_KEY AWS_SECRET_KEY GPG_PASSPHRASE BACKUP_AWS_ID BACKUP_AWS_SECRET " +
        "SMTP_USER SMTP_PWD EMAIL_RCP"
      ).split(" "),
    );
    expect(taken.filter(({ optional }) => optional).map(({ name }) => name)).toEqual(
      expect.arrayContaining(["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]),
    );
  });

  test("differ in name, deployment, channel and bucket, and in nothing else", async () => {
    const [prod, stage] = await Promise.all([read("prod"), read("stage")]);
    const same = ({ written }: typeof prod) => ({
      ...written,
      release_name: "",
      env: written?.env.filter((entry) => !/^(?:DEPLOYMENT|IRC_CHANNEL|BACKUP_BUCKET)=/.test(entry)),
    });
    expect(same(stage)).toEqual(same(prod));
    expect(stage.written?.env.slice(0, 3)).toEqual([
      "DEPLOYMENT=staging",
      "IRC_CHANNEL=docker-testing-staging",
      "BACKUP_BUCKET=ci-backup-stage",
    ]);
    expect(prod.application?.container).not.toBe(stage.application?.container);
    expect(prod.application?.register).toBe("8000/tcp");
  });
});
