/** A working directory as `docker-ci run` sees it. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { filesOf, packFolder } from "../../src/pipeline/working-tree.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { listTar } from "../support/tree.ts";

const packed = async (folder: string) => listTar(packFolder(folder, await filesOf(folder)));

describe("a working directory", () => {
  test("is taken as it is: changed, new and staged files, without the ignored and the deleted ones", async () => {
    await using folder = await temporaryFolder();
    await commitFiles(folder.path, {
      ".gitignore": "dist\n*.log\n",
      "a.txt": "old",
      "gone.txt": "",
      "sub/b ✔.txt": "b",
    });
    await writeFile(join(folder.path, "a.txt"), "changed");
    await writeFile(join(folder.path, "new.txt"), "new");
    await writeFile(join(folder.path, "staged.txt"), "staged");
    await promisify(execFile)("git", ["-C", folder.path, "add", "staged.txt"]);
    await rm(join(folder.path, "gone.txt"));
    await mkdir(join(folder.path, "dist"));
    await writeFile(join(folder.path, "dist", "out.js"), "");
    await writeFile(join(folder.path, "debug.log"), "");
    expect(await packed(folder.path)).toEqual({
      ".gitignore": "dist\n*.log\n",
      "a.txt": "changed",
      "new.txt": "new",
      "staged.txt": "staged",
      "sub/b ✔.txt": "b",
    });
  });

  test("has the files of its submodules, and of those in them, as they are; one that was not fetched has none", async () => {
    await using folder = await temporaryFolder();
    const [inner, outer, whole] = ["inner", "outer", "whole"].map((name) => join(folder.path, name));
    if (inner === undefined || outer === undefined || whole === undefined) throw new Error("there are three");
    const settings = ["protocol.file.allow=always", "user.name=docker-ci", "user.email=docker-ci@localhost"];
    const git = (...words: string[]) =>
      promisify(execFile)("git", [...settings.flatMap((setting) => ["-c", setting]), ...words]);
    for (const path of [inner, outer, whole]) {
      await mkdir(path);
      await commitFiles(path, { "a.txt": path.slice(folder.path.length + 1), ".gitignore": "*.log\n" });
    }
    await git("-C", outer, "submodule", "--quiet", "add", inner, "deps/inner");
    await git("-C", outer, "commit", "--quiet", "-m", "a submodule");
    await git("-C", whole, "submodule", "--quiet", "add", outer, "outer");
    await git("-C", whole, "submodule", "--quiet", "add", outer, "not-fetched");
    await git("-C", whole, "submodule", "--quiet", "update", "--init", "--recursive", "outer");
    await git("-C", whole, "submodule", "--quiet", "deinit", "--force", "not-fetched");
    await writeFile(join(whole, "outer", "a.txt"), "changed");
    await writeFile(join(whole, "outer", "deps", "inner", "new.txt"), "new");
    await writeFile(join(whole, "outer", "debug.log"), "");
    const { ".gitmodules": _modules, ...files } = await packed(whole);
    expect(files).toEqual({
      ".gitignore": "*.log\n",
      "a.txt": "whole",
      "outer/.gitignore": "*.log\n",
      "outer/.gitmodules": expect.stringContaining("deps/inner"),
      "outer/a.txt": "changed",
      "outer/deps/inner/.gitignore": "*.log\n",
      "outer/deps/inner/a.txt": "inner",
      "outer/deps/inner/new.txt": "new",
    });
  });

  test("a folder of a repository is that folder alone", async () => {
    await using folder = await temporaryFolder();
    await commitFiles(folder.path, { "a.txt": "a", "sub/b.txt": "b" });
    expect(await packed(join(folder.path, "sub"))).toEqual({ "b.txt": "b" });
  });

  test("without git it is everything, with modes, links and empty files", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "deep", "er"), { recursive: true });
    await writeFile(join(folder.path, "deep", "er", "a.txt"), "a");
    await writeFile(join(folder.path, "empty"), "");
    await writeFile(join(folder.path, "run"), "#!/bin/sh");
    await chmod(join(folder.path, "run"), 0o755);
    await symlink("deep/er", join(folder.path, "link"));
    await symlink("nowhere", join(folder.path, "dangling"));
    expect(await packed(folder.path)).toEqual({
      "deep/er/a.txt": "a",
      empty: "",
      run: "#!/bin/sh (755)",
      link: "-> deep/er",
      dangling: "-> nowhere",
    });
  });

  test("what is no file is left out, and what vanished meanwhile too", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "a.txt"), "a");
    const server = createServer().listen(join(folder.path, "server.sock"));
    await once(server, "listening");
    const files = [...(await filesOf(folder.path)), "vanished.txt"];
    expect(files).toContain("server.sock");
    expect(await listTar(packFolder(folder.path, files))).toEqual({ "a.txt": "a" });
    server.close();
  });
});
