/** Folders that are kept from one build to the next, on the real engine: whose they are, and what they begin with. */
import { describe, expect, test } from "vitest";
import { BuildNumber } from "../../src/names.ts";
import { type CacheScope, cacheScope } from "../../src/pipeline/caches.ts";
import { removeLeftovers } from "../../src/pipeline/run.ts";
import { Cancelled } from "../../src/pipeline/stop.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";
import { waitFor } from "../support/wait-for.ts";
import { openWorkbench, step, steps, type Workbench } from "../support/workbench.ts";

const number = BuildNumber.parse(42);
const MAIN = "branch main";

test.each<[string, Parameters<typeof cacheScope>[0], CacheScope]>([
  ["the main branch", { event: "push", branch: "main", number, mainBranch: "main" }, { write: MAIN }],
  [
    "another branch",
    { event: "chat", branch: "fix", number, mainBranch: "main" },
    { write: "branch fix", seedFrom: MAIN },
  ],
  [
    "a pull request",
    { event: "pull_request", branch: "stable", pullRequest: 7, number, mainBranch: "main" },
    { write: "pull request 7", seedFrom: "branch stable" },
  ],
  [
    "a pull request without a number",
    { event: "pull_request", branch: "main", number, mainBranch: "main" },
    { write: "build 42", seedFrom: MAIN, isOfBuild: true },
  ],
  [
    "a tag",
    { event: "tag", branch: undefined, number, mainBranch: "main" },
    { write: "build 42", seedFrom: MAIN, isOfBuild: true },
  ],
])("a build of %s has its scope", (_what, build, scope) => {
  expect(cacheScope(build)).toEqual(scope);
});

let runs = 0;
/** What a build finds in its cache; then it adds a line. */
async function cachedLines(bench: Workbench, cache: CacheScope | undefined, word: string): Promise<string> {
  runs += 1;
  const from = bench.log.text.length;
  const line = `echo "found [$(cat /root/.kept/words /opt/other/words 2>/dev/null | xargs)]"; echo ${word} | tee -a /root/.kept/words >> /opt/other/words`;
  await bench.run(steps(step(`mkdir -p /root/.kept /opt/other; ${line}`, "cache: [/root/.kept, /opt/other]")), {
    id: bench.corner.name(`${runs}`),
    labels: { ...bench.corner.labels, "docker-ci.build": String(runs) },
    cache,
  });
  return /^found \[(.*)\]$/m.exec(bench.log.text.slice(from))?.[1] ?? bench.log.text;
}

describe("a cache", () => {
  test("is kept for the builds of a scope, path by path; without a scope nothing is", async () => {
    await using bench = await openWorkbench();
    const found = [];
    for (const word of ["one", "two", "three"]) found.push(await cachedLines(bench, { write: MAIN }, word));
    expect(found).toEqual(["", "one one", "one two one two"]);
    expect(await cachedLines(bench, { write: "branch other" }, "four")).toBe("");
    expect(await cachedLines(bench, undefined, "five")).toBe("");
    expect(await cachedLines(bench, { write: MAIN }, "six")).toBe("one two three one two three");
    expect(await bench.corner.runtime.findVolumes(bench.corner.labels)).toHaveLength(4);
  });

  test("of a pull request begins with its branch's, and never changes it", async () => {
    await using bench = await openWorkbench();
    const request = { write: "pull request 7", seedFrom: MAIN };
    expect(await cachedLines(bench, request, "early")).toBe("");
    await cachedLines(bench, { write: MAIN }, "main");
    expect(await cachedLines(bench, { ...request, write: "pull request 8" }, "eight")).toBe("main main");
    expect(await cachedLines(bench, { ...request, write: "pull request 8" }, "again")).toBe("main eight main eight");
    expect(await cachedLines(bench, { write: MAIN }, "more")).toBe("main main");
    expect(bench.log.text.match(/── filling the cache \/root\/\.kept from that of branch main/g)).toHaveLength(1);
  });

  test("of one build goes with what else it left, and the branch's stay", async () => {
    await using bench = await openWorkbench();
    await cachedLines(bench, { write: MAIN }, "main");
    expect(await cachedLines(bench, { write: "build 42", seedFrom: MAIN, isOfBuild: true }, "tag")).toBe("main main");
    const { runtime, labels } = bench.corner;
    expect(await runtime.findVolumes(labels)).toHaveLength(4);
    await removeLeftovers(runtime, { ...labels, "docker-ci.build": String(runs) });
    expect((await runtime.findVolumes(labels)).map((volume) => volume.labels["docker-ci.cache"])).toEqual([MAIN, MAIN]);
  });

  test("that is being filled for another build is waited for", async () => {
    await using bench = await openWorkbench();
    await cachedLines(bench, { write: MAIN }, "main");
    const fix = { write: "branch fix", seedFrom: MAIN };
    const slow = ({ start }: ContainerRuntime) => ({
      async start(...[spec, signal]: Parameters<typeof start>) {
        if (!spec.name.endsWith(".filling")) return start(spec, signal);
        return start({ ...spec, command: ["sh", "-c", "sleep 2; cp -a /from/. /to/"] }, signal);
      },
    });
    await using other = await openWorkbench({}, slow, bench.corner);
    const first = cachedLines(other, fix, "first");
    const { runtime, labels } = bench.corner;
    await waitFor("both paths being filled", async () => {
      const found = await runtime.find(labels);
      return found.filter(({ container }) => container.name.endsWith(".filling")).length === 2;
    });
    expect(await cachedLines(bench, fix, "second")).toMatch(/^main( first)? main( first)?$/);
    expect(await first).toMatch(/^main( second)? main( second)?$/);
  });

  test("that was half filled when its build was cancelled is not kept", async () => {
    const slow = ({ start }: ContainerRuntime) => ({
      async start(...[spec, signal]: Parameters<typeof start>) {
        if (!spec.name.endsWith(".filling")) return start(spec, signal);
        return start({ ...spec, command: ["sh", "-c", "sleep 60"] }, signal);
      },
    });
    await using bench = await openWorkbench({}, slow);
    await cachedLines(bench, { write: MAIN }, "main");
    const cancel = new AbortController();
    const reason = new Cancelled("ada", undefined);
    const cache = { write: "branch fix", seedFrom: MAIN };
    const run = bench.run(steps(step("true", "cache: /root/.kept")), { cache }, cancel.signal);
    await Promise.all([
      expect(run).rejects.toBe(reason),
      waitFor("the filling", async () => (await bench.corner.runtime.find(bench.corner.labels)).length > 1).then(() =>
        cancel.abort(reason),
      ),
    ]);
    const left = await bench.corner.runtime.findVolumes(bench.corner.labels);
    expect(left.map(({ labels }) => labels["docker-ci.cache"])).toEqual([MAIN, MAIN]);
  });

  test("that cannot be filled is empty, and no reason to stop", async () => {
    const broken = ({ start }: ContainerRuntime) => ({
      async start(...[spec, signal]: Parameters<typeof start>) {
        return start(
          spec.name.endsWith(".filling") ? { ...spec, image: "docker-ci-test/no-such-image" } : spec,
          signal,
        );
      },
    });
    await using bench = await openWorkbench({}, broken);
    await cachedLines(bench, { write: MAIN }, "main");
    expect(await cachedLines(bench, { write: "branch fix", seedFrom: MAIN }, "fix")).toBe("");
    expect(bench.log.text).toContain(
      "── the cache could not be filled: there is no image docker-ci-test/no-such-image\n",
    );
  });
});
