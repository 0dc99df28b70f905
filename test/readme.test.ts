/** The README is true: its table of commands is the commands', and its configuration can be pasted. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commands } from "../commands/index.ts";
import { usage } from "../src/chat/command.ts";
import { parseConfig } from "../src/config.ts";
import { PACKAGE_FOLDER } from "../src/package.ts";
import { parsePipeline } from "../src/pipeline/schema.ts";

const readme = readFileSync(join(PACKAGE_FOLDER, "README.md"), "utf8");
/** Also those inside a list, without its indentation. */
const yamlBlocks = [...readme.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(([, indent = "", text = ""]) =>
  text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
);
const env = {
  IRC_PASSWORD: "x",
  SMTP_PASSWORD: "x",
  SLACK_BOT_TOKEN: "xoxb-x",
  SLACK_APP_TOKEN: "xapp-x",
  GITHUB_TOKEN: "x",
  GITHUB_WEBHOOK_SECRET: "x",
  WEB_PASSWORD: "x",
  DEPLOY_TOKEN: "x".repeat(16),
  AWS_ACCESS_KEY: "x",
  AWS_SECRET_KEY: "x",
  GPG_PASSPHRASE: "x",
  BACKUP_PASSPHRASE: "x",
  BUILDBOT_PWD: "x",
  WORKER_TOKEN: "x".repeat(40),
};

/** What an application file of dcr gives to the container: every name is set there, with or without a value of its own. */
function environmentOf(file: string): Record<string, string> {
  const text = readFileSync(join(PACKAGE_FOLDER, file), "utf8");
  const fixed = [...text.matchAll(/^ +- "(\w+)=(.*)"$/gm)].map(([, name = "", value = ""]) => [name, value] as const);
  const taken = [...text.matchAll(/^ +- "\$(\w+)"$/gm)].map(([, name = ""]) => [name, "someone@example.org"] as const);
  return Object.fromEntries([...fixed, ...taken]);
}

test.each([
  ["production", "dcr/prod/docker-ci.yml", "#docker-testing"],
  ["staging", "dcr/stage/docker-ci.yml", "#docker-testing-staging"],
])(
  "the configuration for %s takes from the environment what dcr gives it (O-13, O-130)",
  (deployment, file, channel) => {
    const text = readFileSync(join(PACKAGE_FOLDER, "examples/production.yml"), "utf8");
    const surroundings = {
      file: "/data/docker-ci.yml",
      env: { ...environmentOf(file), DOCKER_CI_DATA: "/data" },
      cwd: "/",
    };
    const config = parseConfig(text, surroundings);
    expect(config).toMatchObject({ deployment, dataDir: "/data" });
    expect(config.irc[0]?.channels.map(({ name }) => name)).toEqual([channel]);
    expect(config.notify?.rooms).toEqual([{ network: "libera", room: channel }]);
  },
);

describe("the README", () => {
  test("has a row for every command, as the commands describe themselves", () => {
    const rows = commands.map((command) => {
      const role = command.role ?? "everyone";
      return `| \`${usage(command, "!").replaceAll("|", "\\|")}\` | ${role} | ${command.summary} |`;
    });
    expect(readme).toContain(["| command | role | what it does |", "| --- | --- | --- |", ...rows].join("\n"));
  });

  test.each(yamlBlocks.map((text) => [text.split("\n")[0] ?? "", text]))(
    "yaml that begins with %s can be pasted",
    (_first, text) => {
      if (text.startsWith("steps:")) expect(parsePipeline(text).steps.length).toBeGreaterThan(0);
      else expect(parseConfig(text, { file: "docker-ci.yml", env, cwd: "/" }).file).toBeDefined();
    },
  );
});
