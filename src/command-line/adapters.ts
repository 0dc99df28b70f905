/** What main.ts hands to the parts of the command line: everything outside, behind ports. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Chat } from "../chat/chat.ts";
import type { Command } from "../chat/command.ts";
import type { Config, IrcNetwork, MailConfig, SlackWorkspace } from "../config.ts";
import type { NetworkName } from "../names.ts";
import type { PruneScene, Pruning } from "../retention/prune.ts";
import type { BackupJob, NightlyScene, ReportScene } from "../start/options.ts";
import type { ReleaseJobs, ReleaseTools } from "../start/releases.ts";
import type { ForgeApis } from "../triggers/forge-chat.ts";
import type { Hooks } from "../web/hooks/hooks.ts";
import type { BuildRunner, Engine, WorkerParts } from "../worker.ts";

export interface TerminalOptions {
  /** Whether a person types, or a program writes commands a line. */
  readonly historyFile: string | undefined;
  complete(line: string): readonly string[];
  interrupted(): void;
}

/** The terminal as a chat. */
export interface Terminal extends Chat {
  /** Resolves at the end of the input: Ctrl-D, or the end of the pipe. */
  readonly ended: Promise<void>;
  /** A line of docker-ci's own, outside any answer. */
  print(text: string): void;
  /** As if it had been typed. */
  type(line: string): void;
  /** Begins to read. */
  listen(): void;
}

export interface Adapters extends ReleaseTools {
  readonly commands: readonly Command[];
  /** The network's name that the terminal has in rooms. */
  readonly terminalNetwork: NetworkName;
  openTerminal(options: TerminalOptions): Promise<Terminal>;
  /** Begins to connect. @throws ConfigError for a file of certificates that cannot be read. */
  openIrc(network: IrcNetwork, log: Logger): Promise<Chat>;
  /** Begins to connect. @param redis where it remembers which message is about what. */
  openSlack(workspace: SlackWorkspace, redis: Redis, log: Logger): Promise<Chat>;
  /** Tries both tokens. @throws RuntimeError with a sentence that names the one that is refused. */
  probeSlack(
    workspace: SlackWorkspace,
    log: Logger,
  ): Promise<{ bot: string; team: string; rooms: readonly string[]; missing: readonly string[] }>;
  /** Mail as a chat that only speaks; begins to try the server. */
  openMail(mail: MailConfig, url: string, log: Logger): Promise<Chat>;
  /** Calls nothing before somebody asks. */
  forgeApis(config: Config): ForgeApis;
  readonly readHook: Hooks["read"];
  startReport(scene: ReportScene): AsyncDisposable;
  startNightlies(scene: NightlyScene): AsyncDisposable;
  startPruning(scene: PruneScene): Pruning;
  startBackups(job: BackupJob): AsyncDisposable;
  /** Loaded only where releases are configured. */
  loadReleaseJobs(): Promise<ReleaseJobs>;
  /**
   * Constructing does no I/O. `beside` names a second testbuilder of the same instance, so that a running one is not disturbed;
   * both share what was fetched.
   */
  openEngine(config: Config, instance: string, log: Logger, beside?: string): Engine;
  createRunner(parts: WorkerParts): BuildRunner;
}
