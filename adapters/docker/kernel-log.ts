/** The kernel's own word on who was killed for want of memory. */
import { closeSync, constants, openSync, readSync } from "node:fs";

/** The longest record that /dev/kmsg gives; each read gives one. */
const RECORD_BYTES = 8192;

/**
 * Whether the kernel's log tells of a process of container `id` that was killed for want of memory. On cgroup v1 the engine
 * learns of it only when it looks before the container's cgroup is gone: on a busy machine it misses one in three. False also
 * where the log cannot be read: the engine is elsewhere, or we are not root.
 */
export function wasKilledForMemory(id: string): boolean {
  let file: number;
  try {
    file = openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const buffer = Buffer.alloc(RECORD_BYTES);
    for (;;) {
      // oom-kill:constraint=CONSTRAINT_MEMCG,…,oom_memcg=/docker/<id>,task_memcg=/docker/<id>,task=node,pid=1,uid=0
      const record = readRecord(file, buffer);
      if (record === undefined) return false;
      if (record.includes("oom-kill:") && record.includes(id)) return true;
    }
  } finally {
    closeSync(file);
  }
}

/** The next record, or nothing behind the last. One that was overwritten before it was read is empty. */
function readRecord(file: number, buffer: Buffer): string | undefined {
  try {
    return buffer.toString("latin1", 0, readSync(file, buffer));
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPIPE" ? "" : undefined;
  }
}
