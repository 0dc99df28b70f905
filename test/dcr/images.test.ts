/** Images from a registry with a login, and what is seen of it (O-146). */
import { expect, test } from "vitest";
import { PullProgress } from "../../dcr/progress.ts";
import { openImageRegistry } from "../support/image-registry.ts";
import { openDcrCorner } from "./dcr-corner.ts";

const ENV = { USER_NAME: "ada", PASSWORD: "hu:sh" };

test("login tries the registry's login, pull uses it and shows the digest, and the password is nowhere (O-146)", async () => {
  await using corner = await openDcrCorner();
  await using registry = await openImageRegistry("ada:hu:sh");
  const { image } = registry;
  const write = (login?: string) =>
    corner.write("app.yml", {
      tiny: { image, release_name: corner.name("tiny"), ...(login === undefined ? {} : { registry_login: login }) },
    });
  try {
    await write();
    const none = await corner.run(["app.yml", "login"]);
    expect([none.code, none.output]).toEqual([1, expect.stringContaining("there is no registry_login")]);
    expect((await corner.run(["app.yml", "pull"])).output).toMatch(/failed: image \S+ cannot be pulled/);

    await write("$USER_NAME:$PASSWORD:$EMAIL");
    const unset = await corner.run(["app.yml", "login"], { env: ENV });
    expect([unset.code, unset.errors]).toEqual([78, expect.stringContaining("registry_login: $EMAIL is not set")]);

    await write("$USER_NAME:$PASSWORD:ada@example.org");
    const wrong = await corner.run(["app.yml", "login"], { env: { ...ENV, PASSWORD: "no" } });
    expect(wrong.code).toBe(1);
    const right = await corner.run(["app.yml", "login"], { env: ENV });
    expect([right.code, right.output]).toEqual([0, expect.stringContaining("Login Succeeded")]);

    const pulled = await corner.run(["app.yml", "pull"], { env: ENV });
    expect([pulled.code, pulled.output]).toEqual([0, expect.stringContaining(registry.digest)]);
    expect(pulled.errors).toBe(`local: pulling ${image}\nlocal: pulled ${image}\n`);
    expect(wrong.all + right.all + pulled.all).not.toContain("hu:sh");

    // What is missing is fetched by `create` as well.
    await corner.docker.getImage(`${image}:latest`).remove();
    const created = await corner.run(["app.yml", "create"], { env: ENV, isTerminal: true });
    expect([created.code, created.output]).toEqual([0, expect.stringContaining("created")]);
    expect(created.errors).toContain(`local: pulling ${image}`);
  } finally {
    // Either may be missing where the test has failed.
    await Promise.allSettled([corner.docker.getContainer(corner.name("tiny")).remove({ force: true })]);
    await Promise.allSettled([corner.docker.getImage(`${image}:latest`).remove({ force: true })]);
  }
});

test("the layers of a pull are one bar", () => {
  const progress = new PullProgress();
  expect(progress.bar()).toBe("…");
  const downloading = (id: string, current: number, total: number) =>
    progress.add({ id, status: "Downloading", progressDetail: { current, total } });
  downloading("aa", 1024 ** 2, 2 * 1024 ** 2);
  downloading("bb", 0, 2 * 1024 ** 2);
  progress.add({ id: "cc", status: "Already exists" });
  expect(progress.bar()).toBe("▓▓▓▓▓░░░░░░░░░░░░░░░ 25% 1 MiB of 4 MiB");
  progress.add({ id: "aa", status: "Pull complete" });
  progress.add({ id: "bb", status: "Download complete" });
  expect(progress.bar()).toBe("▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ 100% 4 MiB of 4 MiB");
});
