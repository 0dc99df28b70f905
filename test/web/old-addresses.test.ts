/** O-81: what stands in wikis and bookmarks from the days of Buildbot leads somewhere. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createWeb } from "../../src/web/web.tsx";
import { openRecords, type Records } from "../support/records.ts";
import { webDeps } from "../support/web-deps.ts";

describe("O-81: an address of Buildbot", () => {
  let records: Records;
  let web: ReturnType<typeof createWeb>;

  beforeAll(async () => {
    records = await openRecords();
    await records.create("hello");
    web = createWeb(webDeps(records));
  });
  afterAll(async () => {
    await records[Symbol.asyncDispose]();
  });

  test.each([
    ["/builders", 301, "/"],
    ["/builders/", 301, "/"],
    ["/builders/hello", 301, "/projects/hello"],
    ["/builders/nightlyrelease", 301, "/"],
    ["/builders/hello/builds/1", 302, "/builds/1"],
    ["/builders/hello/builds/1/steps/shell_1", 302, "/builds/1"],
    ["/builders/hello/builds/1/steps/shell_1/logs/stdio", 302, "/builds/1/log"],
    ["/builders/hello/builds/1/steps/shell_1/logs/stdio/text", 302, "/builds/1/log"],
    ["/builders/hello/builds/7", 302, "/projects/hello"],
    ["/builders/docker/builds/1", 302, "/projects/docker"],
    ["/builders/nightlyrelease/builds/1", 302, "/"],
    ["/builders/hello/builds/-1", 302, "/projects/hello"],
    ["/grid", 301, "/waterfall"],
    ["/grid?branch=release&category=x", 301, "/waterfall?branch=release"],
    ["/tgrid", 301, "/waterfall"],
    ["/console?builder=hello&committer=ada", 301, "/waterfall?builder=hello&committer=ada"],
    ["/changes", 301, "/waterfall"],
    ["/changes/12", 301, "/waterfall"],
    ["/one_line_per_build", 301, "/builds"],
    ["/one_line_per_build/hello", 301, "/projects/hello"],
    ["/one_box_per_builder", 301, "/"],
    ["/buildslaves", 301, "/workers"],
    ["/buildslaves/big-1", 301, "/workers"],
    ["/about", 301, "/"],
    ["/rss", 301, "/feed.xml"],
    ["/atom", 301, "/feed.xml"],
    ["/json", 301, "/api/openapi.json"],
    ["/json/builders/hello/builds/1", 301, "/api/projects"],
    ["/json/slaves", 301, "/api/workers"],
  ])("%s leads, with %i, to %s", async (path, status, location) => {
    const answer = await web.request(path);
    expect([answer.status, answer.headers.get("location")]).toEqual([status, location]);
  });

  test.each([
    "/builders/%2f%2fevil.example",
    "/builders/..%2f..%2f%2fevil.example",
    "/builders/https:%2f%2fevil.example",
    "/builders/%5cevil.example/builds/1",
    "/one_line_per_build/%2f%2fevil.example",
    "/grid?branch=//evil.example&branch=https://evil.example",
    "/console?url=https://evil.example",
    "/builders//evil.example/builds/1",
    "/builders/hello%0d%0aLocation:%20https:%2f%2fevil.example/builds/1",
    "/buildslaves///evil.example",
  ])("%s leads nowhere else", async (path) => {
    const location = (await web.request(path)).headers.get("location");
    if (location === null) return;
    expect(new URL(location, "https://ci.example.org").origin).toBe("https://ci.example.org");
    expect(location).toMatch(/^\/(?!\/|\\)[\x21-\x7e]*$/);
  });

  test("what they lead to is there", async () => {
    for (const path of [
      "/",
      "/builds",
      "/projects/hello",
      "/builds/1",
      "/waterfall",
      "/workers",
      "/feed.xml",
      "/api/workers",
    ]) {
      expect([path, (await web.request(path)).status]).toEqual([path, 200]);
    }
  });
});
