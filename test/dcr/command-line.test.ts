/** The words behind `dcr`, its help and its exit codes (O-140, O-141, O-152). */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VERBS } from "../../dcr/verbs/index.ts";
import { type DcrCorner, LOCAL, openDcrCorner } from "./dcr-corner.ts";

let corner: DcrCorner;

beforeAll(async () => {
  corner = await openDcrCorner();
  await corner.write("app.yml", {
    web: { image: "none/such", ports: ["80"], register: 80 },
    api: { image: "none/such", ports: ["80"], register: 80 },
  });
  await corner.write("bad.yml", "web: { imge: x }");
  await corner.write("short.yml", { a: { image: "none/such" } });
  await corner.write("plain.yml", { web: { image: "none/such" } });
  await corner.write("hipache.yml", { default: { daemons: [LOCAL], hipaches: ["127.0.0.1:1"] } });
});

afterAll(async () => {
  await corner[Symbol.asyncDispose]();
});

test.each([
  ["", 64, "dcr FILE.yml VERB"],
  ["app.yml", 64, "A verb is missing: init, login"],
  ["app.yml strat", 64, 'There is no verb "strat". Did you mean start'],
  ["start app.yml", 64, "The file comes first: dcr app.yml start."],
  ["app.yml start now", 64, '"now" is too much'],
  ["app.yml register a_b", 64, '"a_b" is no domain: letters, digits, dots and dashes.'],
  ["app.yml status --jsno", 64, "There is no option --jsno. Did you mean --json?\n"],
  ["app.yml status --follow", 64, "status does not take --follow."],
  ["app.yml logs --tail many", 64, '--tail takes a number, found "many".'],
  ["app.yml switch a.b --watch 5", 64, '--watch takes a time such as 5s or 1m, found "5".'],
  ["app.yml status --only wbe", 64, 'has no application "wbe". Did you mean web?'],
  ["nowhere.yml status", 78, "nowhere.yml: there is no such file"],
  ["bad.yml status", 78, "bad.yml:1: web.imge: unknown key. Did you mean image?"],
  ["short.yml status", 78, "short.yml:1: a: this name cannot stand here, allowed: two or more letters, digits"],
  ["app.yml status --settings nowhere.yml", 78, "nowhere.yml: there is no such file"],
  ["app.yml status --cluster stage", 1, "settings.yml has no cluster stage. There are default."],
  ["app.yml register a.example.org", 1, "The cluster default has no gateways"],
  [
    "app.yml register a.example.org --settings hipache.yml",
    1,
    "say which one a.example.org is for: --only web or api.",
  ],
  ["app.yml register --settings hipache.yml", 1, "Say a domain, or give the cluster a base_domain"],
  ["plain.yml switch a.b --settings hipache.yml", 1, 'No application in this file has "register:"'],
  ["app.yml backends a.b --settings hipache.yml", 1, "hipache 127.0.0.1:1 does not answer"],
])("dcr %s ends with %i", async (line, code, said) => {
  const ran = await corner.run(line.split(" ").filter((word) => word !== ""));
  expect([ran.code, ran.all]).toEqual([code, expect.stringContaining(said)]);
});

test("the help lists every verb, and each verb's tells its own options", async () => {
  const all = await corner.run(["--help"]);
  expect(all.code).toBe(0);
  for (const { name } of VERBS) expect(all.output).toContain(`\n  ${name} `);
  expect(Math.max(...all.output.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
  const one = await corner.run(["app.yml", "switch", "--help"]);
  expect(one.output).toMatch(/switch \[DOMAIN\].*--watch TIME/s);
  expect(one.output).not.toContain("--tail");
});

test("settings.yml is looked for here, and then beside the application file (O-140)", async () => {
  await mkdir(join(corner.folder, "elsewhere"), { recursive: true });
  const beside = await corner.run(["../plain.yml", "status"], { cwd: join(corner.folder, "elsewhere") });
  expect([beside.code, beside.output]).toEqual([0, expect.stringContaining("local  web        doesnotexist")]);
  await corner.write("elsewhere/settings.yml", { default: { daemons: [{ address: LOCAL, name: "here" }] } });
  const here = await corner.run(["../plain.yml", "status"], { cwd: join(corner.folder, "elsewhere") });
  expect(here.output).toContain("here  web        doesnotexist");
});

test("as a process: the table, the exit code, and a pipe that nobody reads", async () => {
  const main = new URL("../../dcr/main.ts", import.meta.url).pathname;
  const tsx = import.meta.resolve("tsx");
  const run = (line: string) => promisify(execFile)("sh", ["-c", line], { cwd: corner.folder });
  const dcr = `'${process.execPath}' --import '${tsx}' '${main}'`;
  const { stdout } = await run(
    `${dcr} plain.yml status; echo "exit $?"; ${dcr} plain.yml --wrong 2>/dev/null; echo "exit $?"`,
  );
  expect(stdout).toMatch(/^HOST +CONTAINER +STATE.*\nlocal +web +doesnotexist\nexit 0\nexit 64\n$/);
  const piped = await run(`${dcr} --help | head -1`);
  expect([piped.stdout, piped.stderr]).toEqual([expect.stringMatching(/^dcr [\d.]+, the docker-container-runner/), ""]);
});
