/** A worker that is killed with SIGKILL in the middle of two lanes, again and again; the log at the end has it all, once. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLog } from "../../src/builds/log-files.ts";
import { PACKAGE_FOLDER } from "../../src/package.ts";
import { openCorner, readAll } from "../support/docker.ts";
import { type KilledRun, runAttempt } from "../support/run-to-be-killed.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { treeOf } from "../support/tree.ts";
import { waitFor } from "../support/wait-for.ts";
import { step, steps } from "../support/workbench.ts";

const LINES = 40;
/** Lines in two parts on two streams, and a secret that is printed in two pieces. */
const SCRIPT = [
  `for i in $(seq ${LINES}); do printf "out of $LANE "; printf "err of $LANE $i\\n" >&2`,
  `printf "and \${SECRET%sesame}"; sleep 0.1; echo "sesame $i"; done`,
].join("\n");

function begin(given: KilledRun): ChildProcess {
  const script = join(PACKAGE_FOLDER, "test/support/run-to-be-killed.ts");
  return spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(given)], {
    cwd: PACKAGE_FOLDER,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

test("two lanes over two kills: every line of each once, in order, and no secret", { timeout: 60_000 }, async () => {
  await using corner = openCorner();
  await using folder = await temporaryFolder();
  await using tree = await treeOf({ "README.md": "" });
  const given = {
    folder: folder.path,
    tarFile: tree.tarFile,
    id: corner.name("1"),
    labels: corner.labels,
    pipeline: `${steps(step(SCRIPT))}matrix: { LANE: [a, b] }\n`,
    secret: "open-sesame",
  };
  const readLog = async (): Promise<string> => {
    const log = await openLog(folder.path, 1);
    return log === undefined ? "" : (await readAll(log)).toString();
  };
  for (const [attempt, line] of [
    [1, 5],
    [2, 15],
  ] as const) {
    const worker = begin({ ...given, attempt });
    const over = once(worker, "exit");
    await waitFor(`line ${line} of both`, async () => {
      const log = await readLog();
      return ["a", "b"].every((lane) => log.includes(`err of ${lane} ${line}\n`));
    });
    worker.kill("SIGKILL");
    await over;
  }
  expect(await runAttempt({ ...given, attempt: 3 })).toEqual(["tests.1 passed", "tests.2 passed"]);

  const log = await readLog();
  const numbers = Array.from({ length: LINES }, (_, index) => index + 1);
  for (const lane of ["a", "b"]) {
    const said = log.split("\n").filter((line) => line.startsWith(`tests LANE=${lane} │ `) && !line.includes("│ $ "));
    const bare = said.map((line) => line.slice(line.indexOf("│ ") + 2));
    expect(bare.filter((line) => line.startsWith("err"))).toEqual(numbers.map((number) => `err of ${lane} ${number}`));
    expect(bare.filter((line) => line.startsWith("out"))).toEqual(
      numbers.map((number) => `out of ${lane} and *** ${number}`),
    );
    expect(bare.filter((line) => line.startsWith("── step"))).toHaveLength(2);
  }
  expect(log).not.toContain("open-sesame");
});
