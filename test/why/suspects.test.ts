/** Who comes first among the suspects, and the files by which that is decided. */
import { expect, test } from "vitest";
import { Suspect, suspectOf } from "../../src/incidents/incident.ts";
import { Sha } from "../../src/names.ts";
import { filesNamedIn } from "../../src/why/files.ts";
import { suspectsFirst } from "../../src/why/suspects.ts";

const by = (author: string, ...files: string[]): Suspect => ({
  sha: Sha.parse("1".repeat(40)),
  author,
  title: "a change",
  files,
});

test("who touched the file, then its namesake, then its folder; the others keep their order", () => {
  const suspects = [
    by("ada", "README.md"),
    by("bob", "registry/handlers/app.go"),
    by("eve", "docs/index.md", "storage/api.go"),
    by("dan", "registry/handlers/api_test.go"),
    by("mallory", "go.mod"),
  ];
  const ranked = suspectsFirst(suspects, ["src/registry/handlers/api_test.go"]);
  expect(ranked.map(({ suspect, touched }) => [suspect.author, touched])).toEqual([
    ["dan", "registry/handlers/api_test.go"],
    ["eve", "storage/api.go"],
    ["bob", "registry/handlers/app.go"],
    ["ada", undefined],
    ["mallory", undefined],
  ]);
});

test("a bare name is the end of a path, and the top of the repository nobody's folder", () => {
  const ranked = suspectsFirst([by("ada", "LICENSE"), by("bob", "handlers/api_test.go")], ["api_test.go"]);
  expect(ranked.map(({ touched }) => touched)).toEqual(["handlers/api_test.go", undefined]);
});

test("an incident keeps twenty files of a commit, and one from before they were kept is read", () => {
  const files = Array.from({ length: 50 }, (_, index) => `${index}.go`);
  expect(suspectOf({ ...by("ada"), files }).files).toHaveLength(20);
  const old = Suspect.parse({ sha: "1".repeat(40), author: "ada", title: "a change" });
  expect(suspectsFirst([old], ["a.go"])).toEqual([{ suspect: old, touched: undefined }]);
});

test.each([
  ["    at listen (/src/lib/server.js:4:44)", ["src/lib/server.js"]],
  ['  File "/src/app/report.py", line 7, in read', ["src/app/report.py"]],
  ["./sum_test.go:6:9: cannot use it in ../lib/sum.go", ["sum_test.go", "lib/sum.go"]],
  ["make: *** [Makefile:3: all] Error 2", ["Makefile"]],
  ["    at x (node:internal/modules/loader.js:1) /src/node_modules/a/b.js:1 /usr/lib/go/src/testing.go:12", []],
  ["GET https://cdn.example.org/app.js failed, see https://example.org/a.py", []],
  ["version 1.2.3 of example.org took 0.5s", []],
])("files in %s", (line, files) => {
  expect(filesNamedIn([line])).toEqual(files);
});
