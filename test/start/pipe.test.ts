/** docker-ci in a fresh folder, without any configuration, told what to do on standard input. */
import { describe, expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";

describe("commands on a pipe", () => {
  test("a build that passes: both the acceptance and the result, and exit status 0", async () => {
    await using site = await openSite(undefined);
    const { status, stdout, stderr } = await site.run(["start"], "!build hello\n").ended;

    expect(stdout).toMatch(/^○ hello #1 queued · main [0-9a-f]{7} "hello: an example project" · .*\/builds\/1$/m);
    expect(stdout).toMatch(
      new RegExp(
        `^✔ hello #1 passed in [\\d.]+s · main [0-9a-f]{7} · 6 tests · coverage 92\\.\\d% · ${site.url}/builds/1$`,
        "m",
      ),
    );
    expect(stderr).toContain(`${site.url} · nobody but you: this terminal is the chat`);
    expect(status).toBe(0);
  });

  test("one that passes and one with a failing test: both results, and exit status 1 (O-61)", async () => {
    await using site = await openSite(undefined);
    const { status, stdout } = await site.run(["start"], "!build hello\n!build hello broken\n").ended;

    expect(stdout).toMatch(/^✔ hello #1 passed in /m);
    expect(stdout).toMatch(
      /^✘ hello #2 failed in .* · broken [0-9a-f]{7} by docker-ci · 1 of 6 tests: a third unit is left out · coverage 92\.\d% \(.*in part\) · http/m,
    );
    expect(status).toBe(1);
  });

  test("a command that is refused makes the exit status 1, and the sentence says what to do", async () => {
    await using site = await openSite(undefined);
    const { status, stdout } = await site.run(["start"], "!biuld hello\n!build helo\n!log\nhelp build\n").ended;

    expect(stdout.split("\n")).toEqual([
      'no command "biuld". Did you mean !build? !help lists them.',
      'no project "helo". Did you mean hello? There are hello, docker-registry, docker.',
      expect.stringContaining("!log <build> [lines or /pattern/], for example !log 43"),
      expect.stringContaining(
        "!build <project> [branch, tag, commit or PR#12] [key=value…] [--keep=time] · Queue a build",
      ),
      "",
    ]);
    expect(status).toBe(1);
  });

  test("a second docker-ci on the same data folder is refused with the way out", async () => {
    await using site = await openSite("");
    await site.start();
    const { status, stderr } = await site.run(["start"]).ended;

    expect(stderr).toMatch(/data: another docker-ci uses .*; stop it, or set another data: folder/);
    expect(status).toBe(78);
  });
});
