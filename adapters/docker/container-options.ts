/** A container's specification in the Engine's words: limits, hardening, log. */
import type { ContainerCreateOptions, HostConfig, MountSettings } from "dockerode";
import type { ContainerSpec, Mount } from "../../src/runtime.ts";

/**
 * What a test suite needs of root's powers: files of other owners, processes of other users, ports under 1024. The rest of
 * Docker's default (raw sockets, device nodes, chroot, audit, file capabilities) is dropped.
 */
const CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "NET_BIND_SERVICE"];

/** The kept log is cut into this many files; the oldest goes when another begins, hence one above what shall fit. */
const LOG_FILES = 5;

/**
 * @param cpus how many the engine has; it refuses a container that asks for more.
 * @param withheld for a privileged container: what it has to do without.
 */
export function createOptions(
  spec: ContainerSpec,
  cpus: number,
  withheld: readonly string[] = [],
): ContainerCreateOptions {
  const { limits } = spec;
  const host: HostConfig = {
    NetworkMode: spec.network,
    Memory: limits.memoryBytes,
    // Equal to Memory: no swap on top.
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(Math.min(limits.cpus, cpus) * 1e9),
    PidsLimit: limits.pids,
    Init: true,
    LogConfig: { Type: "local", Config: logConfig(limits.logBytes) },
    Mounts: spec.mounts.map(mountSettings),
    ...powers(spec.privileged, withheld),
  };
  return {
    name: spec.name,
    Image: spec.image,
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...spec.labels },
    Tty: false,
    OpenStdin: false,
    HostConfig: host,
    ...(spec.aliases === undefined
      ? {}
      : { NetworkingConfig: { EndpointsConfig: { [spec.network]: { Aliases: [...spec.aliases] } } } }),
    // An entrypoint of one command replaces the image's entrypoint and command alike.
    ...(spec.command === undefined ? {} : { Entrypoint: [...spec.command] }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.workdir === undefined ? {} : { WorkingDir: spec.workdir }),
  };
}

/** Where a capability is withheld, `Privileged` is taken apart, and all of it given but that. */
function powers(privileged: boolean, withheld: readonly string[]): HostConfig {
  if (!privileged) return { CapDrop: ["ALL"], CapAdd: CAPABILITIES, SecurityOpt: ["no-new-privileges"] };
  if (withheld.length === 0) return { Privileged: true };
  return {
    CapAdd: ["ALL"],
    CapDrop: [...withheld],
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    MaskedPaths: [],
    ReadonlyPaths: [],
    DeviceCgroupRules: ["a *:* rwm"],
  };
}

/** Uncompressed: packing old files would take the CPU from the tests that write them. */
function logConfig(logBytes: number): Record<string, string> {
  const fileBytes = Math.max(64 * 1024, Math.ceil(logBytes / (LOG_FILES - 1)));
  return { "max-size": `${fileBytes}`, "max-file": `${LOG_FILES}`, compress: "false" };
}

/** A bind of a folder that is not there is refused, where the older `Binds` would make it, owned by root. */
function mountSettings({ source, target, readOnly }: Mount): MountSettings {
  return { Type: source.startsWith("/") ? "bind" : "volume", Source: source, Target: target, ReadOnly: readOnly };
}
