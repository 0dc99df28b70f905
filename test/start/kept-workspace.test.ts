/** `!build --keep` by the whole program: what the failing step left is entered, over a restart, and goes when its time is over (O-53). */
import { expect, test } from "vitest";
import { never, openCorner, readOutput } from "../support/docker.ts";
import { openSite } from "../support/docker-ci.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

const PIPELINE = `steps:
  - name: tests
    image: docker-ci/base
    run: [echo half done > state.txt, exit 3]
`;

test("what a failing step left is kept for as long as was asked, and not longer (O-53)", async () => {
  await using repository = await temporaryFolder();
  await commitFiles(repository.path, { ".docker-ci.yml": PIPELINE });
  await using site = await openSite(
    `projects: { web: { repo: ${repository.path}, network: none, limits: { keep: 1h } } }\n`,
  );
  const first = await site.run(["start"], "!build web --keep 2h\n!build web --keep 5s\n").ended;
  expect(first.stdout).toContain("what a step of web leaves is kept for at most 1h00m (limits.keep)");
  expect(first.stdout).toMatch(/^○ web #1 queued .* · kept for 5s if it fails · http/m);
  const [, image = ""] =
    /^tests is kept for 5s on \S+, to be entered there: docker run --rm -it --network none (\S+)$/m.exec(
      first.stdout,
    ) ?? [];
  await using corner = openCorner();
  // As the person would, but for the terminal.
  const shell = await corner.runtime.start(corner.spec("cat state.txt", { image }), never);
  expect((await readOutput(shell)).stdout.toString()).toBe("half done\n");
  await shell.remove();

  await site.start();
  const isGone = async () => (await corner.runtime.imageId(image)) === undefined;
  await waitFor("it to be removed", isGone, { timeoutMs: 40_000 });
});
