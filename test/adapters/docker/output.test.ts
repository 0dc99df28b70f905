/** Nothing that a container prints is lost, doubled or changed, however it is read. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectDocker } from "../../../adapters/docker/index.ts";
import { type Corner, never, openCorner, readOutput } from "../../support/docker.ts";
import { openDockerProxy } from "../../support/docker-proxy.ts";

/** Lines of many lengths on both streams, among them empty ones and such as the Engine's log cuts; 3 MB in a second or so. */
const VARIED = `node -e '
  const { writeSync } = require("fs");
  const all = (fd, text) => { for (let b = Buffer.from(text); b.length > 0; ) try { b = b.subarray(writeSync(fd, b)); } catch (e) { if (e.code !== "EAGAIN") throw e; } };
  const lengths = [0, 1, 80, 16383, 16384, 16385, 32768, 40000, 0, 3];
  for (let i = 0; i < 200; i++) {
    all(1 + i % 2, String.fromCharCode(97 + i % 26).repeat(lengths[(i >> 1) % lengths.length]) + "\\n");
    if (i % 40 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  all(1, "no newline at the end"); all(2, "nor here");
'`;

function varied(stream: 0 | 1): string {
  const lengths = [0, 1, 80, 16383, 16384, 16385, 32768, 40000, 0, 3];
  const lines = Array.from({ length: 200 }, (_, i) => ({ i, length: lengths[(i >> 1) % lengths.length] ?? 0 }));
  const own = lines.filter(({ i }) => i % 2 === stream);
  const text = own.map(({ i, length }) => `${String.fromCharCode(97 + (i % 26)).repeat(length)}\n`).join("");
  return text + (stream === 0 ? "no newline at the end" : "nor here");
}

const digest = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

describe("the output of a container", () => {
  let corner: Corner;
  beforeEach(() => {
    corner = openCorner();
  });
  afterEach(async () => await corner[Symbol.asyncDispose]());

  it("is whole from before the first read to behind the last newline", async () => {
    const container = await corner.runtime.start(corner.spec("echo early; echo early >&2; printf 'late\\0\\r'"), never);
    await container.wait(never);
    const { stdout, stderr } = await readOutput(container);
    expect([stdout.toString(), stderr.toString()]).toEqual(["early\nlate\0\r", "early\n"]);
  });

  it("is whole when 10 MB come at once", async () => {
    const container = await corner.runtime.start(
      corner.spec("head -c 10000000 /dev/zero | tr '\\0' x; seq 100000"),
      never,
    );
    const { stdout } = await readOutput(container);
    const numbers = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join("");
    expect(digest(stdout)).toBe(digest("x".repeat(10_000_000) + numbers));
  });

  it("holds the container up when nobody reads on, and nothing else", async () => {
    const container = await corner.runtime.start(corner.spec("seq 2000000; echo done >&2"), never);
    const reader = container.output({ stdout: 0, stderr: 0 }, never)[Symbol.asyncIterator]();
    await reader.next();
    await sleep(1000);
    expect((await corner.runtime.find(corner.labels))[0]?.state).toBe("running");
    let bytes = 0;
    for (let chunk = await reader.next(); !chunk.done; chunk = await reader.next()) bytes += chunk.value.bytes.length;
    expect(bytes).toBeGreaterThan(14_000_000);
    expect((await container.wait(never)).exitCode).toBe(0);
  });

  it("keeps its bytes apart by stream, long lines and empty ones among them", async () => {
    const { stdout, stderr } = await readOutput(await corner.runtime.start(corner.spec(VARIED), never));
    expect([digest(stdout), digest(stderr)]).toEqual([digest(varied(0)), digest(varied(1))]);
  });

  it("can be read a second time from the log that the Engine kept", async () => {
    const container = await corner.runtime.start(corner.spec(VARIED), never);
    await readOutput(container);
    const { stdout, stderr } = await readOutput(container);
    expect([digest(stdout), digest(stderr)]).toEqual([digest(varied(0)), digest(varied(1))]);
  });

  it.each([1, 5000, 16_385, 16_386, 900_000])(
    "is taken up by another process where the first stopped, behind %i bytes",
    async (bytes) => {
      const container = await corner.runtime.start(corner.spec(VARIED), never);
      const first = await readOutput(container, { enough: ({ stdout, stderr }) => stdout + stderr >= bytes });
      const [adopted] = await connectDocker(undefined).find(corner.labels);
      if (adopted === undefined) throw new Error("the container is not found");
      const second = await readOutput(adopted.container, { from: first.position });
      expect(digest(Buffer.concat([first.stdout, second.stdout]))).toBe(digest(varied(0)));
      expect(digest(Buffer.concat([first.stderr, second.stderr]))).toBe(digest(varied(1)));
    },
  );

  it("goes on where the connection to the Engine broke", async () => {
    await using proxy = await openDockerProxy();
    const runtime = connectDocker(proxy.address);
    const container = await runtime.start(corner.spec(VARIED), never);
    proxy.breakAfter(300_000);
    const { stdout, stderr } = await readOutput(container);
    expect([digest(stdout), digest(stderr)]).toEqual([digest(varied(0)), digest(varied(1))]);
    // Once more from the kept log, which breaks as well.
    proxy.breakAfter(1_000_000);
    const again = await readOutput(container);
    expect([digest(again.stdout), digest(again.stderr)]).toEqual([digest(varied(0)), digest(varied(1))]);
  });

  it("is followed over the files that the Engine's log is cut into", async () => {
    const spec = corner.spec("for i in 1 2 3 4 5 6; do seq 100000; sleep 0.2; done");
    const container = await corner.runtime.start({ ...spec, limits: { ...spec.limits, logBytes: 60_000_000 } }, never);
    const [adopted] = await corner.runtime.find(corner.labels);
    if (adopted === undefined) throw new Error("the container is not found");
    const numbers = Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join("");
    const [attached, followed] = await Promise.all([readOutput(container), readOutput(adopted.container)]);
    expect(digest(attached.stdout)).toBe(digest(numbers.repeat(6)));
    expect(digest(followed.stdout)).toBe(digest(numbers.repeat(6)));
  });
});
