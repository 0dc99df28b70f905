/** Executions that wait for a question in a real container, in which `revision` is a script that says who answers. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Spares } from "../../../adapters/testbuilder/spares.ts";
import { RuntimeError } from "../../../src/errors.ts";
import type { RunningContainer } from "../../../src/runtime.ts";
import { type Corner, never, openCorner, readAll } from "../../support/docker.ts";
import { waitFor } from "../../support/wait-for.ts";

const REVISION = `#!/bin/bash
IFS= read -r -d "" question || exit 0
printf '\\6'
echo "$question $$"
[[ $question == slow ]] && sleep 60
`;

describe("the testbuilder's spare executions", () => {
  let corner: Corner;
  let container: RunningContainer;
  let spares: Spares;
  beforeEach(async () => {
    corner = openCorner();
    spares = new Spares();
    const script = `cat >/usr/local/bin/revision <<'EOF'\n${REVISION}EOF\nchmod 755 /usr/local/bin/revision; sleep 120`;
    container = await corner.runtime.start(corner.spec(script), never);
    await waitFor("the script", async () => (await shell("test -x /usr/local/bin/revision && echo yes")) !== "");
  });
  afterEach(async () => {
    spares.clear();
    await corner[Symbol.asyncDispose]();
  });

  async function shell(line: string): Promise<string> {
    const execution = await container.exec(["sh", "-c", line], { signal: never });
    return (await readAll(execution.stdout)).toString();
  }

  /** The processes that wait, once there are that many. */
  async function waiting(count: number): Promise<string[]> {
    let found: string[] = [];
    await waitFor(
      `${count} that wait`,
      async () => {
        const list = 'for p in /proc/[0-9]*; do grep -qs "[r]evision$" $p/comm && basename "$p"; done';
        found = (await shell(list)).split("\n").filter(Boolean);
        return found.length === count;
      },
      { seen: () => found.join(" ") },
    );
    return found;
  }

  async function answer(question: string): Promise<string[]> {
    const { stdout } = await spares.ask(container, `${question}\0`, never);
    return (await readAll(stdout)).toString().trim().split(" ");
  }

  it("answer in the place of a new one, and are replaced a while later", async () => {
    spares.fill(container);
    const before = await waiting(2);
    const [said, pid] = await answer("who");
    expect([said, before]).toEqual(["who", expect.arrayContaining([pid])]);
    expect(await waiting(1)).toEqual(before.filter((other) => other !== pid));
    expect(await waiting(2)).not.toContain(pid);
  });

  it("are not needed: more questions at a time than there are spares get new ones", async () => {
    spares.fill(container);
    const before = await waiting(2);
    const answers = await Promise.all(["a", "b", "c", "d"].map(answer));
    expect(answers.map(([said]) => said)).toEqual(["a", "b", "c", "d"]);
    expect(answers.map(([, pid]) => pid)).toEqual(expect.arrayContaining(before));
  });

  it("that died while they waited are found out by the next question, which a new one answers", async () => {
    spares.fill(container);
    const before = await waiting(2);
    await shell(`kill -9 ${before.join(" ")}`);
    const [said, pid] = await answer("who");
    expect(said).toBe("who");
    expect(before).not.toContain(pid);
    expect(await waiting(2)).not.toContain(pid);
  });

  it("end when they are not needed any more, and when their container is gone the question is refused", async () => {
    spares.fill(container);
    await waiting(2);
    spares.clear();
    await waiting(0);
    spares.fill(container);
    await waiting(2);
    await container.remove();
    await expect(answer("who")).rejects.toThrow(RuntimeError);
  });

  it("are given up with their asker's reason, before the answer and in its middle", async () => {
    spares.fill(container);
    await waiting(2);
    const reason = new Error("cancelled by ada");
    await expect(spares.ask(container, "who\0", AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const { stdout } = await spares.ask(container, "slow\0", controller.signal);
    stdout.once("data", () => controller.abort(reason));
    await expect(readAll(stdout)).rejects.toBe(reason);
  });
});
