/** The port to a container engine, in our words; `adapters/docker` is the only place that knows the engine's. */
import type { Readable } from "node:stream";

/** What an engine says of itself. */
export interface EngineInfo {
  readonly name: string;
  readonly version: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Where it keeps everything, on its own machine. */
  readonly rootFolder: string;
  /** As images name it: `amd64`, `arm64`. */
  readonly architecture: string;
  /** The builder used for `auto`. */
  readonly builder: "buildkit" | "classic";
}

/** Limits of one container. Sizes in bytes, `cpus` may be a fraction. */
export interface ContainerLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  /** How much of its log the engine keeps to be read again; older parts of a longer log are lost to a second reader. */
  readonly logBytes: number;
}

/** A folder of the engine's machine, or a named volume, inside a container. */
export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** One container to be run. Names and labels are the caller's and must be unique where they have to be. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  /** Replaces the image's entrypoint and command; `undefined` runs what the image says. */
  readonly command: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: ContainerLimits;
  /** A network made by `createNetwork`, `none`, `bridge` (the engine's default) or `host`. */
  readonly network: string;
  /** Gives up the hardening: all capabilities, all devices. Only where a project's configuration says so. */
  readonly privileged: boolean;
  readonly mounts: readonly Mount[];
  /** Folders that its command finds, writable by everyone; part of the container, so `copyOut` reads them. */
  readonly folders?: readonly string[];
  /** `uid:gid`; default: the image's own user. */
  readonly user?: string;
  readonly workdir?: string;
  /** Names by which others in its network find it, besides its own. */
  readonly aliases?: readonly string[];
}

export interface OutputChunk {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

/** How many bytes of each stream have been taken; reading on starts behind them. */
export interface OutputPosition {
  readonly stdout: number;
  readonly stderr: number;
}

export const OUTPUT_START: OutputPosition = { stdout: 0, stderr: 0 };

/** How a container ended, as the engine recorded it. */
export interface ContainerExit {
  readonly exitCode: number;
  /** Some process in it was killed for want of memory; not always the one whose exit code this is. */
  readonly outOfMemory: boolean;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** What a container has used. */
export interface ContainerUsage {
  /** In use just now, without files that are only cached. */
  readonly memoryBytes: number;
  /** Of all its processes since its start. */
  readonly cpuMs: number;
}

/** A command run beside the main one of a running container. Its output must be read to the end. */
export interface Execution {
  /** Standard output alone, with back-pressure; destroying it gives the execution up. */
  readonly stdout: Readable;
  /** Standard error so far, the last 64 KiB at the most. */
  stderr(): string;
  /** The exit code; waits for the end of `stdout`. */
  exitCode(): Promise<number>;
}

/**
 * A container that was started, by us now or by an earlier attempt. Every method may be called again after it failed; all
 * throw RuntimeError when the engine is away, and whatever the signal's reason is when it aborts.
 */
export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Everything the container printed or prints from `from` on, until it has ended and the last byte is read. A stream that
   * breaks before the container has ended is taken up again where it broke. Reads no faster than it is consumed.
   */
  output(from: OutputPosition, signal: AbortSignal): AsyncIterable<OutputChunk>;
  /** Waits for the end; at once when it has ended already. */
  wait(signal: AbortSignal): Promise<ContainerExit>;
  /** SIGTERM, then SIGKILL after `graceMs`. Safe to call on a container that has ended or is gone. */
  stop(graceMs: number): Promise<void>;
  /** Runs a command in it as the same user, or as `user`. */
  exec(command: readonly string[], options: ExecOptions): Promise<Execution>;
  /** The absolute folder in which its command runs. */
  workingDirectory(): Promise<string>;
  /** A file or folder as a tar stream, `undefined` when there is none at that path. */
  copyOut(path: string, signal: AbortSignal): Promise<Readable | undefined>;
  /** Bytes that it has written to its own file system. */
  diskBytes(): Promise<number>;
  /** Undefined when it does not run any more. An engine may take half a second. */
  usage(signal: AbortSignal): Promise<ContainerUsage | undefined>;
  /** Kills and removes it with its anonymous volumes. Safe to call twice. */
  remove(): Promise<void>;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** All that the command reads from its standard input, once that is known; without it there is nothing to read. */
  readonly input?: Promise<string>;
  readonly signal: AbortSignal;
  readonly user?: string;
}

/** One image to be built from a tar of its context. */
export interface ImageBuild {
  readonly context: Readable;
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string;
  readonly tag: string;
  readonly args: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly builder: "auto" | "buildkit" | "classic";
  /** Whether RUN lines may reach the network. */
  readonly network: "internet" | "none";
  readonly limits: Pick<ContainerLimits, "memoryBytes" | "cpus">;
  /** Folders that RUN lines keep (`--mount=type=cache`) are shared only with builds of the same; missing: with all that have none. */
  readonly cacheNamespace?: string;
  readonly signal: AbortSignal;
  /** Receives the builder's output as text, whole lines or parts of lines, in order; awaited before more is read. */
  onOutput(text: string): void | Promise<void>;
  /** Called whenever the builder is heard of, with words or without: when a pull has brought the next piece. */
  onProgress?(): void;
}

/**
 * How an image build ended: the Dockerfile's own fault is a result, not an error. `exitCode` is that of the RUN line that
 * failed, where the builder tells it.
 */
export type ImageBuildResult =
  | { readonly kind: "built"; readonly imageId: string }
  | { readonly kind: "failed"; readonly message: string; readonly exitCode: number | undefined };

/**
 * A container engine. Safe for concurrent use. Throws RuntimeError, with one sentence for people, when the engine is away or
 * refuses; aborting a signal ends the call with the signal's reason.
 */
export interface ContainerRuntime {
  info(signal?: AbortSignal): Promise<EngineInfo>;
  /** @throws RuntimeError also for what is not the Dockerfile's fault: a base image that cannot be pulled, a full disk. */
  buildImage(build: ImageBuild): Promise<ImageBuildResult>;
  /** The image's id, `undefined` when the engine does not have it. */
  imageId(reference: string): Promise<string | undefined>;
  /** @throws RuntimeError `image golang:1.22 cannot be pulled (no such host)`. */
  pullImage(reference: string, signal: AbortSignal, onProgress?: (text: string) => void): Promise<void>;
  tagImage(reference: string, tag: string): Promise<void>;
  /** References of images that carry these labels, newest first. */
  listImages(
    labels: Readonly<Record<string, string>>,
  ): Promise<readonly { reference: string; createdAt: Date; labels: Readonly<Record<string, string>> }[]>;
  /** Removes a tag, and the image with its last one. Nothing happens when it is missing or in use. */
  removeImage(reference: string): Promise<void>;
  /** A bridge of its own; `internal` has no way out. The same name again is no error. */
  createNetwork(name: string, labels: Readonly<Record<string, string>>, internal: boolean): Promise<void>;
  /** Safe to call for a network that is gone. */
  removeNetwork(name: string): Promise<void>;
  /** A named volume, empty. The same name again is no error. @returns whether it was made now. */
  createVolume(name: string, labels: Readonly<Record<string, string>>): Promise<boolean>;
  /** Names of the volumes that carry all these labels. */
  findVolumes(
    labels: Readonly<Record<string, string>>,
  ): Promise<readonly { name: string; labels: Readonly<Record<string, string>> }[]>;
  /** Nothing happens when it is gone or in use. */
  removeVolume(name: string): Promise<void>;
  /**
   * Creates and starts a container, listening before it runs, so that nothing it prints is lost.
   * @throws RuntimeError when the image is missing, the name is taken or the engine refuses.
   */
  start(spec: ContainerSpec, signal: AbortSignal): Promise<RunningContainer>;
  /** Containers that carry all these labels, running or ended, oldest first. One created but never started is listed too. */
  find(labels: Readonly<Record<string, string>>): Promise<readonly FoundContainer[]>;
  /** Networks that carry all these labels, by name. */
  findNetworks(
    labels: Readonly<Record<string, string>>,
  ): Promise<readonly { name: string; labels: Readonly<Record<string, string>> }[]>;
  /** @throws RuntimeError when the container is gone, or the engine has no room. */
  snapshot(container: Pick<RunningContainer, "id">, made: Snapshot, signal: AbortSignal): Promise<void>;
}

/** An image of a container: all that it wrote to its own file system, and its environment, user and working directory. */
export interface Snapshot {
  readonly tag: string;
  /** What it runs, in place of what the container ran. */
  readonly entrypoint: readonly string[];
  /** Over those of the container, as are the labels. */
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A container found by its labels; `created` is one that was never started. */
export interface FoundContainer {
  readonly container: RunningContainer;
  readonly state: "created" | "running" | "ended";
}
