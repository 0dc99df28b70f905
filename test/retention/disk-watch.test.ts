/** New builds are held before a disk is full, and the rooms are told once; a disk of the kernel's own stands for it. */
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { OUTBOX_ROOMS, OutboxEntry } from "../../src/queue/outbox-entry.ts";
import { type DiskWatch, watchDisks } from "../../src/retention/disk-watch.ts";
import { clock, configOf, openRecords, type Records } from "../support/records.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const MIB = 1024 ** 2;
/** Looks are asked for by the tests. */
const NEVER_MS = 3_600_000;

/** A disk of 64 MiB. */
async function smallDisk(): Promise<
  AsyncDisposable & { readonly path: string; fill(mib: number): Promise<void>; free(): Promise<void> }
> {
  const folder = await temporaryFolder();
  await run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", folder.path]);
  const file = join(folder.path, "filling");
  return {
    path: folder.path,
    fill: (mib) => writeFile(file, Buffer.alloc(mib * MIB, 1)),
    free: () => rm(file, { force: true }),
    async [Symbol.asyncDispose]() {
      await run("umount", [folder.path]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

const CONFIG = configOf(`
irc: [{ name: libera, host: irc.example.org, nick: docker-ci, channels: ["#dev"] }]
notify: { rooms: ["libera/#dev"] }
projects: { hello: { repo: /repositories/hello } }
`);

function watch(
  records: Records,
  path: string,
  changes: { clearUp?: () => Promise<void>; onChange?: () => void } = {},
): DiskWatch {
  return watchDisks(
    {
      worker: "big-1",
      places: async () => [{ of: "data folder", path, mayBeElsewhere: false }],
      freeBytes: 16 * MIB,
      clearUp: changes.clearUp ?? (async () => undefined),
      config: CONFIG,
      redis: records.redis.commands,
      clock,
      log: records.log,
    },
    changes.onChange ?? (() => undefined),
    NEVER_MS,
  );
}

async function said({ redis }: Records): Promise<string[]> {
  const lists = await redis.commands.smembers(OUTBOX_ROOMS);
  const entries = await Promise.all(lists.map((list) => redis.commands.lrange(list, 0, -1)));
  return entries.flat().map((json) => {
    const { outgoing } = OutboxEntry.parse(JSON.parse(json));
    return outgoing.reply.lines.flatMap(({ facts }) => facts).join(" · ");
  });
}

describe("a disk that runs full", () => {
  it("is seen at a glance, when a build has just ended", async () => {
    await using records = await openRecords(CONFIG);
    await using disk = await smallDisk();
    await using watching = watch(records, disk.path);
    await watching.look();
    await watching.glance();
    expect(watching.held).toBeUndefined();
    await disk.fill(50);
    await watching.glance();
    expect(watching.held).toMatch(/^14 MiB of 64 MiB are free/);
    expect(await said(records)).toHaveLength(1);
  });

  it("holds new builds and says so once, in words; and lets them go when there is room again", async () => {
    await using records = await openRecords(CONFIG);
    await using disk = await smallDisk();
    let changes = 0;
    await using watching = watch(records, disk.path, { onChange: () => (changes += 1) });
    await watching.look();
    expect(watching.held).toBeUndefined();
    await disk.fill(50);
    await watching.look();
    await watching.look();
    expect(watching.held).toBe("14 MiB of 64 MiB are free on the disk of the data folder, and builds need 16 MiB");
    expect(await said(records)).toEqual([
      expect.stringMatching(/^big-1 begins no builds: .* · what runs goes on; !disk says/),
    ]);
    // Another process with the same name tells nothing again.
    await using another = watch(records, disk.path);
    await another.look();
    expect(await said(records)).toHaveLength(1);
    await disk.free();
    await watching.look();
    expect(watching.held).toBeUndefined();
    expect((await said(records)).at(-1)).toBe("big-1 has room on its disks again · builds begin");
    expect(changes).toBe(2);
  });

  it("is cleared up first, and holds nothing when that is enough", async () => {
    await using records = await openRecords(CONFIG);
    await using disk = await smallDisk();
    await disk.fill(55);
    let times = 0;
    await using watching = watch(records, disk.path, {
      async clearUp() {
        times += 1;
        await disk.free();
      },
    });
    await watching.look();
    await watching.look();
    expect(watching.held).toBeUndefined();
    expect(times).toBe(1);
    expect(await said(records)).toEqual([]);
  });

  it("does not begin and stop by turns around the threshold", async () => {
    await using records = await openRecords(CONFIG);
    await using disk = await smallDisk();
    await disk.fill(50);
    await using watching = watch(records, disk.path);
    await watching.look();
    expect(watching.held).toBeDefined();
    await disk.fill(47);
    await watching.look();
    expect(watching.held).toBeDefined();
    await disk.fill(40);
    await watching.look();
    expect(watching.held).toBeUndefined();
  });
});
