/** `/artifacts/<n>/`: what a build left behind can be looked at, and nothing else of the machine. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { artifactRoutes } from "../../src/web/artifacts.tsx";
import type { Frame } from "../../src/web/deps.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const frame: Frame = {
  bar: async () => ({ version: "1.0.0", running: 0, queued: 0, person: undefined }),
  missing: async (c, what) => c.text(what, 404),
};

async function site(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  for (const [path, text] of Object.entries({ "../secret.txt": "secret", ...files })) {
    const file = join(folder.path, "artifacts/42", path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, text);
  }
  const web = artifactRoutes(join(folder.path, "artifacts"), frame);
  return {
    path: folder.path,
    get: (path: string, headers: Record<string, string> = {}) => web.request(path, { headers }),
    [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
  };
}

test("the page lists all files with their sizes, and links that work", async () => {
  await using web = await site({ "dist/a <b> 50%.txt": "text", "dist/.well-known/x": "x".repeat(2_048) });
  expect((await web.get("/artifacts/42")).headers.get("location")).toBe("/artifacts/42/");
  const page = await web.get("/artifacts/42/");
  const html = await page.text();
  expect(html).toContain("<title>Artifacts of #42</title>");
  expect(html).toContain("a &lt;b&gt; 50%.txt");
  expect(html).toContain("2 KiB");
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  const links = [...html.matchAll(/href="(\/artifacts\/[^"]*)"/g)].map(([, link]) => link ?? "");
  expect(links).toHaveLength(2);
  for (const link of links) expect((await web.get(link)).status).toBe(200);
  expect((await web.get("/artifacts/43/")).status).toBe(404);
  expect((await web.get("/artifacts/x/")).status).toBe(404);
});

// O-177
test.each([
  ["index.html", "text/html; charset=utf-8", null],
  ["picture.SVG", "image/svg+xml", null],
  ["app.js", "text/plain; charset=utf-8", null],
  ["out.log", "text/plain; charset=utf-8", null],
  ["app.tgz", "application/octet-stream", "attachment; filename*=UTF-8''app.tgz"],
  ["it's.exe", "application/octet-stream", "attachment; filename*=UTF-8''it%27s.exe"],
])("%s is %s and can run nothing", async (name, type, disposition) => {
  await using web = await site({ [name]: "<script>alert(1)</script>" });
  const { status, headers } = await web.get(`/artifacts/42/${encodeURIComponent(name)}`);
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe(type);
  expect(headers.get("content-disposition")).toBe(disposition);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^sandbox; default-src 'none'; style-src 'unsafe-inline' 'self'; img-src 'self' data:/);
  expect(policy).not.toContain("script");
});

test("a large file comes whole, an empty one too", async () => {
  await using web = await site({ "big.bin": "x".repeat(3_000_000), empty: "" });
  const big = await web.get("/artifacts/42/big.bin");
  expect(big.headers.get("content-length")).toBe("3000000");
  expect((await big.arrayBuffer()).byteLength).toBe(3_000_000);
  expect(await (await web.get("/artifacts/42/empty")).text()).toBe("");
});

// O-173: nothing of the machine but what the build left as its artifacts
test.each([
  "../secret.txt",
  "%2e%2e/secret.txt",
  "..%2fsecret.txt",
  "..%2Fsecret.txt",
  "..%5csecret.txt",
  "%252e%252e/secret.txt",
  "dist/..%2f..%2fsecret.txt",
  "dist//a",
  "dist",
  "dist/",
  "a%00.txt",
  "%",
  "link",
  "folder/secret.txt",
])("%s is not there", async (path) => {
  await using web = await site({ "dist/a": "a" });
  await symlink("../secret.txt", join(web.path, "artifacts/42/link"));
  await symlink("..", join(web.path, "artifacts/42/folder"));
  const answer = await web.get(`/artifacts/42/${path}`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).not.toContain("secret");
});

test("a download that was cut off is gone on with, and an empty file is one", async () => {
  await using web = await site({ "large.bin": `${"a".repeat(100_000)}${"b".repeat(100_000)}`, "empty.txt": "" });
  const rest = await web.get("/artifacts/42/large.bin", { range: "bytes=99998-" });
  expect([rest.status, rest.headers.get("content-range")]).toEqual([206, "bytes 99998-199999/200000"]);
  expect(await rest.text()).toBe(`aa${"b".repeat(100_000)}`);
  const outside = await web.get("/artifacts/42/large.bin", { range: "bytes=200000-" });
  expect([outside.status, outside.headers.get("content-range")]).toEqual([416, "bytes */200000"]);
  const empty = await web.get("/artifacts/42/empty.txt");
  expect([empty.status, await empty.text()]).toEqual([200, ""]);
});
