/** An Engine that is not there, not yet, or not for us. */
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { connectDocker } from "../../../adapters/docker/index.ts";
import { RuntimeError } from "../../../src/errors.ts";
import { never, openCorner } from "../../support/docker.ts";
import { openDockerProxy } from "../../support/docker-proxy.ts";
import { portOf } from "../../support/loopback.ts";

describe("an Engine that is away", () => {
  it("is named in one sentence, by every call", async () => {
    const corner = openCorner(connectDocker("unix:///no/such/docker.sock"));
    const calls = [
      corner.runtime.info(),
      corner.runtime.find(corner.labels),
      corner.runtime.start(corner.spec("true"), never),
      corner.runtime.buildImage(corner.build("RUN true")),
      corner.runtime.pullImage("alpine", never),
    ];
    for (const call of calls) {
      await expect(call).rejects.toThrow(
        new RuntimeError("the Docker Engine at unix:///no/such/docker.sock does not answer (connect ENOENT)"),
      );
    }
    const tcp = connectDocker("tcp://127.0.0.1:1");
    await expect(tcp.info()).rejects.toThrow(
      "the Docker Engine at tcp://127.0.0.1:1 does not answer (connect ECONNREFUSED)",
    );
    await expect(connectDocker("ssh://host").info()).rejects.toThrow("neither unix:///… nor tcp://…");
  });

  it("is used again when it is back", async () => {
    const proxy = await openDockerProxy();
    const runtime = connectDocker(proxy.address);
    expect((await runtime.info()).cpus).toBeGreaterThan(0);
    await proxy[Symbol.asyncDispose]();
    await expect(runtime.info()).rejects.toThrow("does not answer");
    await using again = await openDockerProxy(proxy.address);
    expect((await connectDocker(again.address).info()).version).toMatch(/^\d/);
    expect((await runtime.info()).version).toMatch(/^\d/);
  });
});

describe("something else at its address", () => {
  it("that says no without a reason is told by its status", async () => {
    const server = createServer((_, answer) => answer.writeHead(403).end()).listen(0, "127.0.0.1");
    await once(server, "listening");
    await expect(connectDocker(`tcp://127.0.0.1:${portOf(server)}`).info()).rejects.toThrow(
      /^the Docker Engine refuses: status 403, without a reason$/,
    );
    server.close();
  });
});

describe("an image", () => {
  it("that cannot be pulled says why", async () => {
    const runtime = connectDocker(undefined);
    await expect(runtime.pullImage("registry.invalid/x/y:2", never)).rejects.toThrow(
      "image registry.invalid/x/y:2 cannot be pulled (no such host)",
    );
  });
});
