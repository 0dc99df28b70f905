/** What every container runtime does, whatever engine is behind it. */

import { Readable } from "node:stream";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RuntimeError } from "../../src/errors.ts";
import { type ContainerRuntime, OUTPUT_START } from "../../src/runtime.ts";
import { type Corner, never, openCorner, readAll, readOutput } from "../support/docker.ts";
import { waitFor } from "../support/wait-for.ts";

/** @param connect gives a second and a third runtime on the same engine as well, as after a restart. */
export function runtimeContract(what: string, connect: () => ContainerRuntime): void {
  describe(`${what} as a container runtime`, () => {
    let corner: Corner;
    beforeEach(() => {
      corner = openCorner(connect());
    });
    afterEach(async () => await corner[Symbol.asyncDispose]());

    it("tells how a command ended, when, and all that it printed (O-61)", async () => {
      const before = Date.now();
      const container = await corner.runtime.start(corner.spec("echo out; echo err >&2; printf end; exit 3"), never);
      const { stdout, stderr } = await readOutput(container);
      const exit = await container.wait(never);
      expect([stdout.toString(), stderr.toString(), exit.exitCode]).toEqual(["out\nend", "err\n", 3]);
      expect(exit.outOfMemory).toBe(false);
      expect(exit.finishedAt.getTime()).toBeGreaterThanOrEqual(exit.startedAt.getTime());
      expect(exit.startedAt.getTime()).toBeGreaterThan(before - 2000);
    });

    it("gives the image's own command, environment, user and working directory their way", async () => {
      const spec = corner.spec("", {
        command: ["sh", "-c", 'echo "$GREETING $(id -u):$(id -g) $(pwd)"'],
        env: { GREETING: "a=b c" },
        user: "12:34",
        workdir: "/tmp",
      });
      const { stdout } = await readOutput(await corner.runtime.start(spec, never));
      expect(stdout.toString()).toBe("a=b c 12:34 /tmp\n");
    });

    it("keeps a container to few powers, and gives them up where a project says so (O-56)", async () => {
      const line = "grep -E 'CapEff|NoNewPrivs' /proc/self/status | tr -d '\\t'; ls /dev | wc -l";
      const careful = await readOutput(await corner.runtime.start(corner.spec(line), never));
      const privileged = await readOutput(await corner.runtime.start(corner.spec(line, { privileged: true }), never));
      expect(careful.stdout.toString()).toContain("CapEff:00000000000004fb\nNoNewPrivs:1");
      expect(privileged.stdout.toString()).toContain("NoNewPrivs:0");
      expect(privileged.stdout.toString()).toMatch(/CapEff:0000(003f|01ff)/);
    });

    it("tells a container that ran out of memory from one that was killed", async () => {
      const hungry = corner.spec("node -e 'const a=[]; for(;;) a.push(Buffer.alloc(1e7, 1))'", {
        limits: { memoryBytes: 64 * 1024 ** 2, cpus: 1, pids: 100, logBytes: 1e6 },
      });
      const killed = corner.spec("kill -9 $$");
      const [first, second] = await Promise.all([
        corner.runtime.start(hungry, never),
        corner.runtime.start(killed, never),
      ]);
      expect(await first.wait(never)).toMatchObject({ outOfMemory: true, exitCode: 137 });
      expect(await second.wait(never)).toMatchObject({ outOfMemory: false, exitCode: 137 });
    });

    it("stops a container that does not listen after its grace, and one that has ended or is gone without a word", async () => {
      const container = await corner.runtime.start(corner.spec("trap '' TERM; sleep 60"), never);
      const before = Date.now();
      await container.stop(1000);
      expect(Date.now() - before).toBeLessThan(5000);
      expect((await container.wait(never)).exitCode).toBe(137);
      await container.stop(1000);
      await container.remove();
      await container.remove();
      await container.stop(1000);
    });

    it("is found again by its labels after a restart, with all that it printed", async () => {
      const spec = corner.spec("echo before; sleep 0.5; echo after");
      await corner.runtime.start({ ...spec, labels: { ...spec.labels, build: "42" } }, never);
      const [found, ...others] = await connect().find({ ...corner.labels, build: "42" });
      expect(others).toEqual([]);
      expect([found?.state, found?.container.name, found?.container.labels.build]).toEqual([
        "running",
        spec.name,
        "42",
      ]);
      if (found === undefined) return;
      expect((await readOutput(found.container)).stdout.toString()).toBe("before\nafter\n");
      expect((await found.container.wait(never)).exitCode).toBe(0);
      expect((await connect().find(corner.labels)).map(({ state }) => state)).toEqual(["ended"]);
      expect(await connect().find({ ...corner.labels, build: "43" })).toEqual([]);
    });

    it("runs a command beside the main one", async () => {
      const container = await corner.runtime.start(corner.spec("sleep 60"), never);
      const said = await container.exec(["sh", "-c", 'echo "$A"; echo oops >&2; exit 7'], {
        env: { A: "b" },
        signal: never,
      });
      expect([(await readAll(said.stdout)).toString(), said.stderr(), await said.exitCode()]).toEqual([
        "b\n",
        "oops\n",
        7,
      ]);
      const asUser = await container.exec(["id", "-u"], { user: "99:99", signal: never });
      expect((await readAll(asUser.stdout)).toString()).toBe("99\n");
      const large = await container.exec(["head", "-c", "20000000", "/dev/zero"], { signal: never });
      expect((await readAll(large.stdout)).length).toBe(20_000_000);
      expect(await large.exitCode()).toBe(0);
    });

    it("gives a command its input when it is known, and ends the input of one that is given up", async () => {
      const container = await corner.runtime.start(corner.spec("sleep 60"), never);
      const input = new Promise<string>((resolve) => setTimeout(resolve, 300, "a question\n"));
      const asked = await container.exec(["sh", "-c", "cat; echo end; exit 3"], { input, signal: never });
      expect((await readAll(asked.stdout)).toString()).toBe("a question\nend\n");
      expect(await asked.exitCode()).toBe(3);

      const controller = new AbortController();
      const unasked = { input: new Promise<string>(() => undefined), signal: controller.signal };
      const waiting = await container.exec(["sh", "-c", "cat; echo over >/tmp/over"], unasked);
      controller.abort(new Error("given up"));
      await expect(readAll(waiting.stdout)).rejects.toThrow("given up");
      await waitFor("the end of its input", async () => (await container.copyOut("/tmp/over", never)) !== undefined);
    });

    it.each([
      ["by root, of a shell script", {}],
      ["by somebody else, of a shell script", { user: "12:34" }],
      ["of a command without a shell", { command: ["stat", "-c", "%a", "/data", "/tmp/it's", "/opt"] }],
    ])("has its folders, open to everyone, when it is run %s", async (_who, changes) => {
      const line = `umask 077; stat -c %a /data "$1" /opt; echo "$0" >/data/report; cat /data/report`;
      const command = ["/bin/sh", "-ec", line, "$0 and more", "/tmp/it's"];
      const folders = ["/data", "/tmp/it's", "/opt"];
      const container = await corner.runtime.start(corner.spec("", { command, folders, ...changes }), never);
      const { stdout } = await readOutput(container);
      expect(stdout.toString().split("\n").slice(0, 3)).toEqual(["777", "777", "777"]);
      if (!("command" in changes)) expect(stdout.toString()).toMatch(/\n\$0 and more\n$/);
      expect(await container.copyOut("/data", never)).toBeDefined();
    });

    it("hands out a file that a container wrote, and says when there is none", async () => {
      const container = await corner.runtime.start(corner.spec("echo report > /tmp/report.xml"), never);
      await container.wait(never);
      const archive = await container.copyOut("/tmp/report.xml", never);
      const files: Record<string, string> = {};
      for await (const entry of archive?.pipe(extract()) ?? []) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of Readable.from(entry)) chunks.push(chunk);
        files[entry.header.name] = Buffer.concat(chunks).toString();
      }
      expect(files).toEqual({ "report.xml": "report\n" });
      expect(await container.copyOut("/tmp/nothing", never)).toBeUndefined();
      await container.remove();
      await expect(container.copyOut("/tmp/report.xml", never)).rejects.toThrow(RuntimeError);
    });

    it("knows how much a container has written", async () => {
      const container = await corner.runtime.start(corner.spec("head -c 5000000 /dev/zero > /big"), never);
      await container.wait(never);
      expect(await container.diskBytes()).toBeGreaterThanOrEqual(5_000_000);
      expect(await container.diskBytes()).toBeLessThan(6_000_000);
    });

    it("knows what a container uses while it runs", async () => {
      const script = "const a = Buffer.alloc(60e6, 1); console.log('held'); setTimeout(() => a.fill(2), 60_000)";
      const container = await corner.runtime.start(corner.spec(`exec node -e "${script}"`), never);
      for await (const { bytes } of container.output(OUTPUT_START, never)) {
        if (Buffer.from(bytes).includes("held")) break;
      }
      const usage = await container.usage(never);
      expect(usage?.memoryBytes).toBeGreaterThan(60_000_000);
      expect(usage?.memoryBytes).toBeLessThan(250_000_000);
      expect(usage?.cpuMs).toBeGreaterThan(10);
      await container.stop(0);
      expect(await container.usage(never)).toBeUndefined();
    });

    it("says which image is missing and which name is taken, and leaves nothing behind", async () => {
      const nothing = corner.spec("true", { image: "docker-ci-test/no-such-image" });
      await expect(corner.runtime.start(nothing, never)).rejects.toThrow(
        "there is no image docker-ci-test/no-such-image",
      );
      const lost = corner.spec("true", { mounts: [{ source: "/no/such/folder", target: "/x", readOnly: true }] });
      await expect(corner.runtime.start(lost, never)).rejects.toThrow(RuntimeError);
      expect(await corner.runtime.find(corner.labels)).toEqual([]);
      const spec = corner.spec("true");
      await corner.runtime.start(spec, never);
      await expect(corner.runtime.start(spec, never)).rejects.toThrow(`there is a container ${spec.name} already`);
    });

    it("ends every call with the reason that its caller gave up for", async () => {
      const reason = new Error("cancelled by ada");
      const controller = new AbortController();
      const container = await corner.runtime.start(corner.spec("echo on; sleep 60"), never);
      const execution = await container.exec(["sleep", "60"], { signal: controller.signal });
      const calls = [
        container.wait(controller.signal),
        (async () => {
          for await (const _ of container.output({ stdout: 0, stderr: 0 }, controller.signal)) controller.abort(reason);
        })(),
        readAll(execution.stdout),
        execution.exitCode(),
        corner.runtime.start(corner.spec("true"), AbortSignal.abort(reason)),
      ];
      const ends = await Promise.allSettled(calls);
      expect(ends.map((end) => (end.status === "rejected" ? end.reason : end.value))).toEqual(calls.map(() => reason));
      expect(await corner.runtime.find(corner.labels)).toHaveLength(1);
    });

    it("joins containers in a network of their own, by name, with a way out or without", async () => {
      const network = corner.name("net");
      await corner.runtime.createNetwork(network, corner.labels, true);
      await corner.runtime.createNetwork(network, corner.labels, true);
      const server = corner.spec('node -e \'require("net").createServer((s) => s.end("hello")).listen(7000)\'', {
        network,
      });
      await corner.runtime.start(server, never);
      const line = `for i in 1 2 3 4 5 6 7 8 9; do
        node -e 'require("net").connect(7000, "${server.name}").on("error", () => process.exit(1)).pipe(process.stdout)' && exit
        sleep 0.3
      done; exit 1`;
      const client = await corner.runtime.start(corner.spec(line, { network }), never);
      expect((await readOutput(client)).stdout.toString()).toBe("hello");
      expect(await corner.runtime.findNetworks(corner.labels)).toEqual([{ name: network, labels: corner.labels }]);
      // The server is still in it.
      await corner.runtime.removeNetwork(network);
      await corner.runtime.removeNetwork(network);
      expect(await corner.runtime.findNetworks(corner.labels)).toEqual([]);
    });

    it("is found in its network by the names it was given", async () => {
      const network = corner.name("net");
      await corner.runtime.createNetwork(network, corner.labels, true);
      const inIt = { network, aliases: ["redis", "cache"] };
      await corner.runtime.start(corner.spec("sleep 60", inIt), never);
      const client = await corner.runtime.start(corner.spec("getent hosts redis cache | wc -l", { network }), never);
      expect((await readOutput(client)).stdout.toString()).toBe("2\n");
    });

    it("knows the folder that a container's command runs in", async () => {
      const folders = await Promise.all(
        [{}, { workdir: "/opt" }].map(async (changes) => {
          const container = await corner.runtime.start(corner.spec("pwd", changes), never);
          expect(`${await container.workingDirectory()}\n`).toBe((await readOutput(container)).stdout.toString());
          return container.workingDirectory();
        }),
      );
      expect(folders).toEqual(["/", "/opt"]);
    });

    it("keeps what is in a volume from one container to the next, and says who made it", async () => {
      const [name, other] = [corner.name("volume"), corner.name("other")];
      const labels = { ...corner.labels, kind: "cache" };
      const made = await Promise.all([1, 2].map(() => corner.runtime.createVolume(name, labels)));
      expect(made.filter((isNew) => isNew)).toHaveLength(1);
      expect(await corner.runtime.createVolume(name, {})).toBe(false);
      expect(await corner.runtime.createVolume(other, corner.labels)).toBe(true);

      const mounts = [{ source: name, target: "/cache", readOnly: false }];
      const writer = await corner.runtime.start(corner.spec("echo kept > /cache/file", { mounts }), never);
      await writer.wait(never);
      const reader = await corner.runtime.start(corner.spec("cat /cache/file; sleep 60", { mounts }), never);
      expect((await readOutput(reader, { enough: ({ stdout }) => stdout > 0 })).stdout.toString()).toBe("kept\n");
      expect(await corner.runtime.findVolumes({ ...corner.labels, kind: "cache" })).toEqual([{ name, labels }]);
      // In use.
      await corner.runtime.removeVolume(name);
      expect(await corner.runtime.findVolumes(corner.labels)).toHaveLength(2);

      await Promise.all([writer.remove(), reader.remove()]);
      for (const gone of [name, other, name]) await corner.runtime.removeVolume(gone);
      expect(await corner.runtime.findVolumes(corner.labels)).toEqual([]);
    });

    it("tags, lists and removes images", async () => {
      const [one, two] = [`${corner.name("one")}:1`, `${corner.name("two")}:2`];
      const built = await corner.runtime.buildImage(corner.build("ENV A=1", { tag: one }));
      const id = built.kind === "built" ? built.imageId : built.message;
      expect(await corner.runtime.imageId(one)).toBe(id);
      await corner.runtime.tagImage(one, two);
      const listed = await corner.runtime.listImages(corner.labels);
      expect(listed.map(({ reference }) => reference).toSorted()).toEqual([one, two]);
      expect(listed[0]?.labels).toMatchObject(corner.labels);
      await corner.runtime.removeImage(one);
      await corner.runtime.removeImage(one);
      expect(await corner.runtime.imageId(one)).toBeUndefined();
      expect(await corner.runtime.imageId(two)).toBe(id);
      await expect(corner.runtime.tagImage("docker-ci-test/none", one)).rejects.toThrow(
        "there is no image docker-ci-test/none",
      );
    });
  });
}
