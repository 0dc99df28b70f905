/** The files of a revision as one tar: stored, looked into, and changed on the way to the engine. */
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { RuntimeError } from "../../src/errors.ts";
import { readFromTree, rewriteTar, storeTree } from "../../src/pipeline/tree.ts";
import { never } from "../support/docker.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { listTar, packEntries, treeOf } from "../support/tree.ts";

const LONG = `${"a-folder-with-a-long-name/".repeat(12)}file.txt`;

describe("storing a tree", () => {
  test("keeps all of it, and the text of what was asked for", async () => {
    await using folder = await temporaryFolder();
    const tarFile = join(folder.path, "work", "1", "tree.tar");
    const files = { "./Dockerfile": "FROM x\n", "sub/Dockerfile": "FROM y\n", [LONG]: "✔", l: { link: "Dockerfile" } };
    const tree = await storeTree(packEntries(files), tarFile, ["Dockerfile", ".docker-ci.yml"], never);
    expect([...tree.top]).toEqual([["Dockerfile", "FROM x\n"]]);
    expect(await listTar(tarFile)).toEqual({
      "./Dockerfile": "FROM x\n",
      "sub/Dockerfile": "FROM y\n",
      [LONG]: "✔",
      l: "-> Dockerfile",
    });
    expect(await readFromTree(tarFile, "sub/Dockerfile")).toBe("FROM y\n");
    expect(await readFromTree(tarFile, LONG)).toBe("✔");
    expect(await readFromTree(tarFile, "nothing")).toBeUndefined();
  });

  test("does not read what is too large to be meant, nor what is no file", async () => {
    await using tree = await treeOf({
      Dockerfile: "x".repeat(2 * 1024 ** 2),
      ".docker-ci.yml": { link: "/etc/passwd" },
    });
    const stored = await storeTree(
      createReadStream(tree.tarFile),
      `${tree.tarFile}.2`,
      ["Dockerfile", ".docker-ci.yml"],
      never,
    );
    expect([...stored.top]).toEqual([]);
    expect(await readFromTree(tree.tarFile, "Dockerfile")).toBeUndefined();
  });

  test.each([
    ["that ends in the middle", (bytes: Buffer) => bytes.subarray(0, 700)],
    ["that is no tar", (bytes: Buffer) => Buffer.alloc(bytes.length, "no tar ")],
  ])("a stream %s is a fault of the machinery, and leaves nothing behind", async (_name, spoil) => {
    await using folder = await temporaryFolder();
    const chunks: Buffer[] = [];
    for await (const chunk of packEntries({ big: "x".repeat(300_000) })) chunks.push(chunk);
    const spoilt = Readable.from([spoil(Buffer.concat(chunks))]);
    await expect(storeTree(spoilt, join(folder.path, "tree.tar"), [], never)).rejects.toThrow(RuntimeError);
    expect(await readdir(folder.path)).toEqual([]);
    expect(spoilt.destroyed).toBe(true);
  });

  test("a source that fails says why, and a cancel ends the wait with its own reason", async () => {
    await using folder = await temporaryFolder();
    const failing = new Readable({ read: () => undefined });
    const stored = storeTree(failing, join(folder.path, "tree.tar"), [], never);
    failing.destroy(new RuntimeError("git was killed"));
    await expect(stored).rejects.toThrow("git was killed");

    const cancel = new AbortController();
    const endless = new Readable({ read: () => undefined });
    const waiting = storeTree(endless, join(folder.path, "tree.tar"), [], cancel.signal);
    const reason = new Error("cancelled by ada");
    cancel.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe("changing a tree on its way", () => {
  test("modes, links and long names survive, and what is renamed has its new name, however long the old one was", async () => {
    await using tree = await treeOf({
      "sub/run.sh": { text: "#!/bin/sh\n", mode: 0o755 },
      "sub/link": { link: "../elsewhere" },
      [`sub/${LONG}`]: "long",
      "sub/Dockerfile": "FROM image\n",
      "sub/empty": "",
      [`sub/${"l".repeat(120)}`]: { link: `${"t".repeat(150)}` },
      other: "",
    });
    const rewritten = rewriteTar(tree.tarFile, {
      rename: (path) => (path.startsWith("sub/") ? path.slice(4) : undefined),
      replace: new Map([["Dockerfile", "FROM docker-ci/hello:1-image ✔\n"]]),
    });
    expect(await listTar(rewritten)).toEqual({
      "run.sh": "#!/bin/sh\n (755)",
      link: "-> ../elsewhere",
      [LONG]: "long",
      Dockerfile: "FROM docker-ci/hello:1-image ✔\n",
      empty: "",
      ["l".repeat(120)]: `-> ${"t".repeat(150)}`,
    });
  });

  test("a large file passes through, and one who stops reading ends it", async () => {
    await using tree = await treeOf({ big: "x".repeat(20 * 1024 ** 2), small: "s" });
    const same = { rename: (path: string) => path, replace: new Map<string, string>() };
    const files = await listTar(rewriteTar(tree.tarFile, same));
    expect([files.big?.length, files.small]).toEqual([20 * 1024 ** 2, "s"]);
    const stream = rewriteTar(tree.tarFile, same);
    for await (const _ of stream) break;
    expect(stream.destroyed).toBe(true);
  });

  test("a tar that is gone is a fault of the machinery", async () => {
    const stream = rewriteTar("/nowhere/tree.tar", { rename: (path) => path, replace: new Map() });
    await expect(listTar(stream)).rejects.toThrow("the checkout could not be packed again");
  });
});
