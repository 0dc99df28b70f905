/** Powers that the machine withholds even from root, as containers and small virtual machines do. */
import { readFile } from "node:fs/promises";

/** Of the kernel's 41 capabilities those that are withheld here and there, by number (linux/capability.h). */
const WITHHELD_SOMEWHERE: readonly (readonly [bit: number, name: string])[] = [
  [12, "NET_ADMIN"],
  [13, "NET_RAW"],
  [14, "IPC_LOCK"],
  [16, "SYS_MODULE"],
  [17, "SYS_RAWIO"],
  [19, "SYS_PTRACE"],
  [20, "SYS_PACCT"],
  [21, "SYS_ADMIN"],
  [22, "SYS_BOOT"],
  [23, "SYS_NICE"],
  [24, "SYS_RESOURCE"],
  [25, "SYS_TIME"],
  [26, "SYS_TTY_CONFIG"],
  [27, "MKNOD"],
  [30, "AUDIT_CONTROL"],
  [32, "MAC_OVERRIDE"],
  [33, "MAC_ADMIN"],
  [34, "SYSLOG"],
  [35, "WAKE_ALARM"],
  [36, "BLOCK_SUSPEND"],
  [37, "AUDIT_READ"],
  [38, "PERFMON"],
  [39, "BPF"],
  [40, "CHECKPOINT_RESTORE"],
];

/**
 * What this process could never have, which an engine on the same machine cannot give either. The engine grants all of its
 * `--privileged` or nothing, and has no way to be asked.
 */
export async function withheldCapabilities(): Promise<readonly string[]> {
  const status = await readFile("/proc/self/status", "latin1").catch(() => "");
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (bounding === undefined) return [];
  const mask = BigInt(`0x${bounding}`);
  return WITHHELD_SOMEWHERE.filter(([bit]) => ((mask >> BigInt(bit)) & 1n) === 0n).map(([, name]) => name);
}
