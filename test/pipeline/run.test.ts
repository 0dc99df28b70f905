/** A pipeline on the real engine, without queue, chat or record: what each step may do, and what its end is called. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { StepResult } from "../../src/builds/build.ts";
import { RuntimeError } from "../../src/errors.ts";
import { StepName } from "../../src/names.ts";
import { removeLeftovers } from "../../src/pipeline/run.ts";
import { Cancelled, HandedOver } from "../../src/pipeline/stop.ts";
import type { ContainerRuntime } from "../../src/runtime.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { waitFor } from "../support/wait-for.ts";
import { LIMITS, openWorkbench, PROJECT, step, steps } from "../support/workbench.ts";

describe("steps", () => {
  test("run one after the other, and the log tells of each: its place, its commands, its output, its end (O-26)", async () => {
    await using bench = await openWorkbench();
    const results = await bench.run(steps(step("echo one", "", "first"), step("printf end", "", "second")));
    expect(results.map(({ name, kind, state, exitCode }) => [name, kind, state, exitCode])).toEqual([
      ["first", "run", "passed", 0],
      ["second", "run", "passed", 0],
    ]);
    const lines = bench.log.text.replace(/\d\d:\d\d:\d\d/g, "12:00:00").replace(/in [\d.]+s/g, "in 1.0s");
    expect(lines).toBe(
      [
        `── step 1 of 2: first · 12:00:00 UTC · in ${BASE_IMAGE}`,
        "$ echo one",
        "one",
        "── step first passed in 1.0s",
        `── step 2 of 2: second · 12:00:00 UTC · in ${BASE_IMAGE}`,
        "$ printf end",
        "end",
        "── step second passed in 1.0s",
        "",
      ].join("\n"),
    );
  });

  test("a list of lines is one script of sh -e: variables last, and the first line that fails ends it", async () => {
    await using bench = await openWorkbench();
    const script = "- { name: tests, image: docker-ci/base, run: [cd /tmp, A=1, 'echo $A $PWD', 'false', echo never] }";
    expect(await bench.ends(steps(script))).toEqual(["tests failed: exit 1"]);
    expect(bench.log.text).toContain(
      "\n$ cd /tmp\n$ A=1\n$ echo $A $PWD\n$ false\n$ echo never\n1 /tmp\n── step tests failed",
    );
  });

  test("what comes after a failure is skipped, and an allowed failure fails nothing (O-121)", async () => {
    await using bench = await openWorkbench();
    expect(
      await bench.ends(
        steps(
          step("exit 3", "allow_failure: true", "lint"),
          step("exit 4", "", "unit"),
          step("echo never", "", "package"),
        ),
      ),
    ).toEqual(["lint failed: exit 3", "unit failed: exit 4", "package skipped"]);
    expect(bench.log.text).toMatch(/── step lint failed in .*: exit 3 \(allowed to fail\)\n/);
    expect(bench.log.text).not.toContain("never");
  });

  test("only the steps that were asked for are run", async () => {
    await using bench = await openWorkbench();
    const results = await bench.ends(steps(step("true", "", "a"), step("true", "", "b"), step("true", "", "c")), {
      onlySteps: [StepName.parse("b")],
    });
    expect(results).toEqual(["a skipped: not asked for", "b passed", "c skipped: not asked for"]);
  });

  test("results of an earlier attempt are kept, and what it failed at stays failed", async () => {
    await using bench = await openWorkbench();
    const done: StepResult = {
      name: StepName.parse("a"),
      kind: "run",
      state: "failed",
      durationMs: 5,
      meaning: "exit 9",
    };
    expect(await bench.ends(steps(step("true", "", "a"), step("true", "", "b")), { done: [done] })).toEqual([
      "a failed: exit 9",
      "b skipped",
    ]);
  });

  test("the environment is the build's, then the project's, then the step's", async () => {
    await using bench = await openWorkbench();
    await bench.run(steps(step("echo $CI $A $B $C", "env: { C: step }")), {
      env: { CI: "true", A: "build", B: "build", C: "build" },
      project: { ...PROJECT, network: "none", limits: LIMITS, env: { B: "project", C: "project" } },
    });
    expect(bench.log.text).toContain("\ntrue build project step\n");
  });
});

describe("images", () => {
  // O-58: two images, the second made from the first, and tests in either.
  test.each(["buildkit", "classic"] as const)("a Dockerfile may say FROM an earlier step (%s)", async (builder) => {
    await using bench = await openWorkbench({
      Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo "made here" > /made\nCMD ["cat", "/made"]\n`,
      "test.Dockerfile":
        'FROM image\nCOPY --from=image /made /copied\nCMD ["sh", "-c", "cat /copied; pwd"]\nWORKDIR /tmp\n',
    });
    const results = await bench.run(
      steps(
        "- { name: image, build: . }",
        "- { name: more, build: { dockerfile: test.Dockerfile } }",
        "- { name: own }",
        "- { name: first, image: image }",
        '- { name: there, image: image, run: "test ! -e /copied" }',
      ),
      { project: { ...PROJECT, network: "none", limits: LIMITS, builder } },
    );
    expect(results.map(({ state, meaning }) => meaning ?? state)).toEqual(Array(5).fill("passed"));
    expect(bench.log.text).toMatch(/· in more\nmade here\n\/tmp\n── step own passed/);
    expect(bench.log.text).toMatch(/· in image\nmade here\n── step first passed/);
    const built = await bench.corner.runtime.listImages(bench.corner.labels);
    expect(built.map(({ reference }) => reference).toSorted()).toEqual([
      `docker-ci/hello:${bench.corner.name("1")}-image`,
      `docker-ci/hello:${bench.corner.name("1")}-more`,
    ]);
  });

  // O-172: a name of its own for each build
  test.each(["buildkit", "classic"] as const)("equal builds make one image of two names (%s)", async (builder) => {
    await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo ${Math.random()}\n` });
    const { runtime, name } = bench.corner;
    const ids = [];
    for (const count of ["1", "2"]) {
      const labels = { ...bench.corner.labels, "docker-ci.build": count };
      const project = { ...PROJECT, network: "none", limits: LIMITS, builder } as const;
      await bench.run(steps("- { name: image, build: . }"), { id: name(count), labels, project });
      ids.push(await runtime.imageId(`docker-ci/hello:${name(count)}-image`));
    }
    expect(ids[0]).toMatch(/^sha256:/);
    expect(ids[1]).toBe(ids[0]);
  });

  test("a Dockerfile that fails is the revision's fault; one that is missing as well", async () => {
    await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN echo oops >&2; exit 7\n` });
    const [failed, skipped] = await bench.run(steps("- { name: image, build: . }", "- { name: tests }"));
    expect(failed).toMatchObject({ state: "failed", exitCode: 7 });
    expect(failed?.meaning).toContain("7");
    expect(skipped?.state).toBe("skipped");
    expect(bench.log.text).toContain("oops");
    expect(await bench.ends(steps("- { name: image, build: nowhere }"))).toEqual([
      "image failed: the repository has no nowhere/Dockerfile",
    ]);
  });

  test("without the image of a step that was allowed to fail, the next has none to run in", async () => {
    await using bench = await openWorkbench();
    const pipeline = steps("- { name: image, build: ., allow_failure: true }", "- { name: tests }");
    expect(await bench.ends(pipeline)).toEqual([
      "image failed: the repository has no Dockerfile",
      "tests failed: no image to run in: step image built none",
    ]);
  });

  test("one that cannot be pulled is the machinery's fault, in one sentence, and nothing is left", async () => {
    await using bench = await openWorkbench();
    const run = bench.run(steps("- { name: tests, image: 'localhost:1/nothing:1', run: 'true' }"));
    await expect(run).rejects.toThrow(RuntimeError);
    await expect(run).rejects.toThrow(/^image localhost:1\/nothing:1 cannot be pulled \([^\n]+\)$/);
    expect(await bench.corner.runtime.find(bench.corner.labels)).toEqual([]);
  });
});

describe("limits", () => {
  const hungry = "node -e 'const a=[]; for(;;) a.push(Buffer.alloc(1e7, 1))'";

  test("exit 137 says who killed it: the memory limit, the program itself, or the time limit, within ten seconds (O-27)", async () => {
    await using bench = await openWorkbench();
    const deaf = "trap '' TERM; echo here; while :; do sleep 1; done";
    const results = await bench.run(
      steps(
        step(`exec ${hungry}`, "allow_failure: true", "memory"),
        step("kill -9 $$", "allow_failure: true", "itself"),
        step(deaf, "allow_failure: true, timeout: 500ms", "time"),
      ),
    );
    expect(results.map(({ exitCode, meaning }) => `${exitCode}: ${meaning}`)).toEqual([
      "137: out of memory (limit 256 MiB)",
      "137: exit 137: killed by SIGKILL from within its container; not for memory, not by docker-ci",
      "137: time limit 0.5s of the step passed",
    ]);
    expect(results.at(-1)?.durationMs).toBeLessThan(10_000);
    expect(bench.log.text).toContain("\nhere\n");
  });

  test("a child that ran out of memory is told of beside the exit of the one that went on", async () => {
    await using bench = await openWorkbench();
    expect(await bench.ends(steps(step(`${hungry} || exit 5`)))).toEqual([
      "tests failed: exit 5; a process in it ran out of memory (limit 256 MiB)",
    ]);
  });

  test("the build's own time counts where it is nearer, for a step and for an image (O-27)", async () => {
    await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\nRUN sleep 60\n` });
    const pipeline = steps(step("sleep 60", "allow_failure: true, timeout: 1m"), "- { name: image, build: . }");
    const before = Date.now();
    expect(await bench.ends(pipeline, { deadlineAt: Date.now() + 500 })).toEqual([
      "tests failed: time limit 30m00s of the build passed",
      "image failed: time limit 30m00s of the build passed",
    ]);
    expect(Date.now() - before).toBeLessThan(10_000);
  });

  test("a step that fills the disk is stopped", async () => {
    await using bench = await openWorkbench();
    const limits = { ...LIMITS, diskBytes: 10 * 1024 ** 2 };
    const [tests] = await bench.run(steps(step("head -c 20000000 /dev/zero > /big; sleep 50")), {
      project: { ...PROJECT, network: "none", limits },
    });
    expect(tests?.meaning).toBe("disk limit 10 MiB passed");
    expect(tests?.durationMs).toBeLessThan(25_000);
  });

  test("more processes than allowed cannot be started", async () => {
    await using bench = await openWorkbench();
    const limits = { ...LIMITS, pids: 10 };
    await bench.run(steps(step("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo all", "timeout: 5s")), {
      project: { ...PROJECT, network: "none", limits },
    });
    expect(bench.log.text).toMatch(/fork|Resource temporarily unavailable/i);
  });
});

describe("what a step's container may do", () => {
  // O-171: also no socket of the Engine
  test("no privileges, few capabilities, no new ones, no docker socket, no network where there shall be none (O-03, O-50)", async () => {
    await using bench = await openWorkbench();
    const probe = [
      "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'",
      "ls /var/run/docker.sock /run/docker.sock 2>/dev/null || echo no socket",
      "ls /dev/sda /dev/vda /dev/mem /dev/kmsg 2>/dev/null || echo no devices",
      "mount -t tmpfs none /mnt 2>/dev/null || echo no mounts",
      "mknod /tmp/disk b 8 0 2>/dev/null || echo no nodes",
      "echo interfaces $(ls /sys/class/net | grep -v -E '^(lo|tunl0|sit0|ip6tnl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0)$')",
    ];
    await bench.run(steps(`- { name: tests, image: ${BASE_IMAGE}, run: ${JSON.stringify(probe)} }`));
    const [, output = ""] = bench.log.text.split(/\$ echo interfaces.*\n/);
    expect(output.split("\n").slice(0, -2)).toEqual([
      // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE
      "CapEff:00000000000004fb",
      "NoNewPrivs:1",
      "Seccomp:2",
      "no socket",
      "no devices",
      "no mounts",
      "no nodes",
      "interfaces",
    ]);
  });

  test("/data is there, empty, and writable by the image's own user, whoever that is (O-50)", async () => {
    await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\nUSER 1234:1234\n` });
    await bench.run(
      steps(
        "- { name: image, build: . }",
        '- { name: tests, run: "id -u; ls -A /data; echo x > /data/report.xml; cat /data/report.xml" }',
      ),
    );
    expect(bench.log.text).toContain("\n1234\nx\n── step tests passed");
  });

  test("a network of the build's own is made, and gone with its leftovers", async () => {
    await using bench = await openWorkbench();
    const { runtime, labels } = bench.corner;
    await bench.run(steps(step("ls /sys/class/net/eth0 >/dev/null && echo a way out")), {
      project: { ...PROJECT, limits: LIMITS },
    });
    expect(bench.log.text).toContain("\na way out\n");
    expect(await runtime.findNetworks(labels)).toHaveLength(1);
    await removeLeftovers(runtime, labels);
    expect([await runtime.findNetworks(labels), await runtime.find(labels)]).toEqual([[], []]);
  });
});

describe("the network of a build", () => {
  const withNetwork = { project: { ...PROJECT, limits: LIMITS } };

  test("is made while an image is built, and the step that needs it says why there is none", async () => {
    const refusing = () => ({ createNetwork: () => Promise.reject(new RuntimeError("there are no addresses left")) });
    await using bench = await openWorkbench({ Dockerfile: `FROM ${BASE_IMAGE}\n` }, refusing);
    const run = bench.run(steps("- { name: image, build: . }", '- { name: tests, run: "true" }'), withNetwork);
    await expect(run).rejects.toThrow("there are no addresses left");
    expect(bench.log.text).toContain("── step image passed");
  });

  test("is waited for by a build that ends before it is there, so that what removes its leftovers finds it", async () => {
    const slow = ({ createNetwork }: ContainerRuntime) => ({
      async createNetwork(...network: Parameters<typeof createNetwork>) {
        await sleep(300);
        await createNetwork(...network);
      },
    });
    await using bench = await openWorkbench({}, slow);
    const [image] = await bench.run(steps("- { name: image, build: . }", "- { name: tests }"), withNetwork);
    expect(image?.state).toBe("failed");
    expect(await bench.corner.runtime.findNetworks(bench.corner.labels)).toHaveLength(1);
  });
});

describe("stopping in the middle", () => {
  test("a cancel ends the step within ten seconds with its own reason, and the container is gone", async () => {
    await using bench = await openWorkbench();
    const cancel = new AbortController();
    const reason = new Cancelled("ada", undefined);
    const run = bench.run(steps(step("trap '' TERM; echo here; while :; do sleep 1; done")), {}, cancel.signal);
    await Promise.all([
      expect(run).rejects.toBe(reason),
      waitFor("the step to run", () => bench.log.text.includes("\nhere\n")).then(() => cancel.abort(reason)),
    ]);
    expect(await bench.corner.runtime.find(bench.corner.labels)).toEqual([]);
  });

  test("a hand-over leaves the container running, and the next attempt adopts it and misses nothing", async () => {
    await using bench = await openWorkbench();
    const handOver = new AbortController();
    const reason = new HandedOver();
    const pipeline = steps(step("for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 0.3; done; hostname; exit 3"));
    const first = bench.run(pipeline, {}, handOver.signal);
    await Promise.all([
      expect(first).rejects.toBe(reason),
      waitFor("line 2", () => bench.log.text.includes("line 2\n")).then(() => handOver.abort(reason)),
    ]);
    const [found, ...others] = await bench.corner.runtime.find(bench.corner.labels);
    expect([found?.state, others]).toEqual(["running", []]);

    expect(await bench.ends(pipeline, { attempt: 2 })).toEqual(["tests failed: exit 3"]);
    expect(bench.log.text.match(/^line \d$/gm)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((number) => `line ${number}`));
    expect(bench.log.text).toContain(`\n${found?.container.id.slice(0, 12)}\n`);
    await removeLeftovers(bench.corner.runtime, bench.corner.labels);
    expect(await bench.corner.runtime.find(bench.corner.labels)).toEqual([]);
  });
});
