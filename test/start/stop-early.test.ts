/** Whoever stops docker-ci while it still starts is obeyed, as soon as what it waits for is there. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { openSite } from "../support/docker-ci.ts";
import { startGivenRedis } from "../support/given-redis.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { waitFor } from "../support/wait-for.ts";

test("a signal that comes while docker-ci waits for Redis ends it, and it has nothing left open", async () => {
  await using folder = await temporaryFolder();
  await using redis = await startGivenRedis(folder.path);
  // Takes connections, and lets nothing through for now.
  const held: Socket[] = [];
  let answers = false;
  const through = (near: Socket): void => {
    const far = connect(Number(new URL(redis.url).port), "127.0.0.1");
    for (const socket of [near, far]) socket.on("error", () => socket.destroy());
    near.pipe(far).pipe(near);
  };
  const slow = createServer((socket) => {
    if (answers) through(socket);
    else held.push(socket);
  }).listen(0, "127.0.0.1");
  await once(slow, "listening");
  const address = slow.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    await using site = await openSite(`redis: redis://127.0.0.1:${port}/0\n`);
    const bot = site.run(["start"]);
    await waitFor("docker-ci to ask for Redis", () => held.length > 0, { seen: () => bot.stdout() + bot.stderr() });
    process.kill(bot.pid, "SIGTERM");
    await waitFor("its answer", () => bot.stdout().includes("Got SIGTERM. Stopping."));
    answers = true;
    held.forEach(through);
    expect((await bot.ended).status).toBe(0);
    expect(bot.stdout()).not.toContain('"msg":"up"');
  } finally {
    slow.close();
  }
}, 30_000);
