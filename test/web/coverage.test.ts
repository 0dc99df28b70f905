/** `/coverage/…`: what is there is shown without rights, and nothing else is. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Build } from "../../src/builds/build.ts";
import { BuildNumber, ProjectName } from "../../src/names.ts";
import { nameCoverage } from "../../src/results/coverage-names.ts";
import { coverageRoutes } from "../../src/web/coverage.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("the coverage of a build", () => {
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  let get: (path: string) => Promise<Response>;

  beforeAll(async () => {
    temporary = await temporaryFolder();
    const folder = join(temporary.path, "coverage");
    const report = join(folder, "docker-registry", "42");
    await mkdir(join(report, "css & more"), { recursive: true });
    await writeFile(join(temporary.path, "secret"), "s3cret");
    await writeFile(join(folder, "docker-registry", "secret"), "s3cret");
    await writeFile(join(report, "index.html"), "<script>alert(1)</script>");
    await writeFile(join(report, "empty.txt"), "");
    await writeFile(join(report, "run.js"), "alert(1)");
    await writeFile(join(report, "css & more", "a b.css"), "p {}");
    await symlink(join(temporary.path, "secret"), join(report, "link"));
    await symlink(temporary.path, join(report, "up"));
    const project = ProjectName.parse("docker-registry");
    const names = ["docker-registry-20140301120000", "hello-20140301120000", "docker-registry"];
    await nameCoverage(
      folder,
      { project, number: BuildNumber.parse(42) },
      names.map((name) => ({ kind: "file", name })),
    );
    const builds = { latest: async (): Promise<Build[]> => [] };
    const app = coverageRoutes(folder, builds, { missing: async (c, what) => c.text(what, 404) });
    get = async (path) => await app.request(path);
  });
  afterAll(async () => {
    await temporary[Symbol.asyncDispose]();
  });

  // O-177
  test("O-65: is served so that it can run nothing and reach nothing", async () => {
    const page = await get("/coverage/docker-registry/42/");
    expect([page.status, await page.text()]).toEqual([200, "<script>alert(1)</script>"]);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("sandbox");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/allow-scripts|allow-same-origin|script-src/);
  });

  test("has its style, and its scripts as text", async () => {
    const style = await get("/coverage/docker-registry/42/css%20%26%20more/a%20b.css");
    expect([style.headers.get("content-type"), await style.text()]).toEqual(["text/css; charset=utf-8", "p {}"]);
    const script = await get("/coverage/docker-registry/42/run.js");
    expect([script.headers.get("content-type"), await script.text()]).toEqual([
      "text/plain; charset=utf-8",
      "alert(1)",
    ]);
    expect(await (await get("/coverage/docker-registry/42/empty.txt")).text()).toBe("");
  });

  test.each([
    "/coverage/docker-registry/42/link",
    "/coverage/docker-registry/42/up/secret",
    "/coverage/docker-registry/42/..%2fsecret",
    "/coverage/docker-registry/42/%2e%2e/secret/x",
    "/coverage/docker-registry/42/..%5csecret",
    "/coverage/docker-registry/42/%00",
    "/coverage/docker-registry/42/%",
    "/coverage/docker-registry/42//secret",
    "/coverage/docker-registry/42/css%20%26%20more",
    "/coverage/docker-registry/43/",
    "/coverage/docker-registry/secret/",
    "/coverage/..%2f..%2fetc/42/passwd",
    "/coverage/docker-registry/docker-registry-20140302/index.html",
    "/coverage/docker-registry/hello-20140301120000/index.html",
    "/coverage/nosuch/",
  ])("is not where it is not: %s", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain("s3cret");
  });

  test("O-62: is found under the name that an old script gave it", async () => {
    const answer = await get("/coverage/docker-registry/docker-registry-20140301120000/index.html");
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/coverage/docker-registry/42/index.html"]);
    expect((await get("/coverage/docker-registry/42")).headers.get("location")).toBe("/coverage/docker-registry/42/");
  });
});
