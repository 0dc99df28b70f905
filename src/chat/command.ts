/** A chat command as one typed value: its parser, its help, its usage line and its role check all read it. */
import type { Readable } from "node:stream";
import { z } from "zod";
import type { Audit } from "../audit/audit.ts";
import type { AskedBackups } from "../backup/asked.ts";
import type { Builds } from "../builds/builds.ts";
import type { LogLine } from "../builds/log-files.ts";
import type { Clock } from "../clock.ts";
import type { Config, ReportWindow, Role } from "../config.ts";
import type { FlakyLedger } from "../flaky/ledger.ts";
import type { Quarantine } from "../flaky/quarantine.ts";
import type { Incidents } from "../incidents/incidents.ts";
import type { Subscriptions } from "../incidents/subscriptions.ts";
import type { BuildNumber } from "../names.ts";
import type { OutboxState } from "../queue/outbox-rooms.ts";
import type { WorkerStatus } from "../queue/worker-status.ts";
import type { VerifyRelease } from "../releases/publish/verify-release.ts";
import type { Releases } from "../releases/releases.ts";
import type { Results } from "../results/results.ts";
import type { RetentionService } from "../retention/retention.ts";
import type { Schedules } from "../schedules/schedules.ts";
import type { PullRequests } from "../triggers/allow-pull-request.ts";
import type { Chat } from "./chat.ts";
import type { LinkCodes } from "./link-codes.ts";
import type { Links } from "./links.ts";
import type { ChatMessage } from "./message.ts";
import type { Identity } from "./people.ts";
import type { Reply } from "./reply.ts";

/**
 * How an argument is written, besides in its turn: `rest` takes all that is left as it was typed, `pairs` collects every
 * `key=value`, `switch` is true where its name was written, `--force`, and `option` has what stands behind its name, `--keep=2h` or
 * `--keep 2h`. Given by `.meta({ takes })`; `.meta({ label })` names it in the usage line, `.meta({ secret: true })` keeps it out of
 * the audit log.
 */
export type Takes = "rest" | "pairs" | "switch" | "option";

/** What every command may use; a new need is a new port here. */
export interface CommandServices {
  readonly config: Config;
  readonly builds: Builds;
  readonly incidents: Incidents;
  readonly subscriptions: Subscriptions;
  readonly flaky: FlakyLedger;
  readonly quarantine: Quarantine;
  readonly schedules: Schedules;
  /** What builds left behind: tests, coverage. */
  readonly results: Results;
  /** Disks, and clearing up. */
  readonly retention: RetentionService;
  /** Those of outsiders, which wait for somebody's word. */
  readonly pullRequests: PullRequests;
  readonly releases: Releases;
  /** Compares what a bucket serves with what was signed; missing where no releases are configured. */
  readonly verifyRelease?: VerifyRelease;
  readonly chats: ReadonlyMap<string, Chat>;
  readonly clock: Clock;
  readonly version: string;
  readonly startedAt: Date;
  readonly commands: readonly Command[];
  workers(): Promise<readonly WorkerStatus[]>;
  /** What waits to be said, where and why. */
  outbox(): Promise<OutboxState>;
  /** Missing where none are made. */
  readonly backups?: Pick<AskedBackups, "state" | "ask">;
  /** Mails the daily report now, with that week (default: rolling), and gives its recipients; missing where no mail is configured. */
  mailReport?(window?: ReportWindow): Promise<readonly string[]>;
  /** Lines of a build's log; undefined when this machine has no log of it. */
  logLines(number: BuildNumber, count: number, pattern?: RegExp): Promise<readonly LogLine[] | undefined>;
  /** The whole log; undefined when this machine has none. Whoever asks reads it to its end. */
  openLog(number: BuildNumber): Promise<Readable | undefined>;
  /** Stops the process after what is at work is done. */
  shutdown(by: string): void;
}

export interface CommandContext<Args> extends CommandServices {
  readonly links: Links;
  readonly linkCodes: LinkCodes;
  readonly audit: Audit;
  readonly args: Args;
  readonly message: ChatMessage;
  readonly identity: Identity;
}

export interface CommandDefinition<Shape extends z.core.$ZodLooseShape> {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One sentence, what it is for. */
  readonly summary: string;
  /** Whole lines as they would be typed; each must parse. */
  readonly examples: readonly string[];
  /** The role it takes; undefined for everyone. */
  readonly role?: Role;
  /**
   * Whether it changes something: then it is done once however often a network delivers it, and not at all when it cannot be
   * audited. Default: what takes a role does.
   */
  readonly changes?: boolean;
  /**
   * Whether running it again for the same message comes to the same as running it once: what a kill cut short is then done
   * again, where otherwise the person is asked to look how far it came. Default: false.
   */
  readonly repeatable?: boolean;
  /** Words that may stand before its arguments and say nothing that the name does not: `build` in `!stop build 43`. */
  readonly filler?: readonly string[];
  /** `!help` leaves it out of its list: another command does the same, for those who do not know this word from elsewhere. */
  readonly unlisted?: boolean;
  /** In the order in which they are typed. */
  readonly args: z.ZodObject<Shape, z.core.$strict>;
  run(context: CommandContext<z.output<z.ZodObject<Shape, z.core.$strict>>>): Promise<Reply> | Reply;
}

/** A command whose argument types are closed over. */
export interface Command {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly examples: readonly string[];
  readonly role: Role | undefined;
  readonly changes: boolean;
  readonly repeatable: boolean;
  readonly filler: readonly string[];
  readonly unlisted: boolean;
  readonly args: z.ZodObject;
  /** Why the arguments do not fit, if they do not. */
  misfit(given: Readonly<Record<string, unknown>>): MisfitError | undefined;
  /** Parses and runs. @throws MisfitError for arguments that do not fit, besides what the command throws. */
  execute(given: Readonly<Record<string, unknown>>, context: Omit<CommandContext<never>, "args">): Promise<Reply>;
}

/** The arguments do not fit. A ZodError would not do: a record that cannot be read is one too, and no fault of the speaker's. */
export class MisfitError extends Error {
  override readonly name = "MisfitError";
  /** The first argument that does not fit, and what it has to be. */
  readonly argument: string;

  constructor(error: z.ZodError) {
    super(error.issues[0]?.message ?? "", { cause: error });
    this.argument = String(error.issues[0]?.path[0] ?? "");
  }
}

export function defineCommand<Shape extends z.core.$ZodLooseShape>(definition: CommandDefinition<Shape>): Command {
  const {
    name,
    aliases = [],
    summary,
    examples,
    role,
    changes = role !== undefined,
    repeatable = false,
    filler = [],
    unlisted = false,
    args,
  } = definition;
  return {
    name,
    aliases,
    summary,
    examples,
    role,
    changes,
    repeatable,
    filler,
    unlisted,
    args,
    misfit(given) {
      const { error } = args.safeParse(given);
      return error === undefined ? undefined : new MisfitError(error);
    },
    async execute(given, context) {
      const parsed = args.safeParse(given);
      if (!parsed.success) throw new MisfitError(parsed.error);
      return definition.run({ ...context, args: parsed.data });
    },
  };
}

/** How an argument is filled and shown. */
export interface ArgumentForm {
  readonly name: string;
  readonly takes: Takes | "word";
  readonly required: boolean;
  readonly label: string;
  readonly secret: boolean;
}

const Meta = z.object({
  takes: z.enum(["rest", "pairs", "switch", "option"]).optional(),
  label: z.string().optional(),
  secret: z.boolean().default(false),
});

export function argumentForms(args: z.ZodObject): ArgumentForm[] {
  return Object.entries(args.shape).map(([name, schema]) => {
    const meta = Meta.parse(schema instanceof z.ZodType ? (schema.meta() ?? {}) : {});
    const required = !z.safeParse(schema, undefined).success;
    return { name, takes: meta.takes ?? "word", required, label: meta.label ?? name, secret: meta.secret };
  });
}

/** The examples as they are typed here, whatever the prefix. */
export function examplesOf({ examples }: Command, prefix: string): string[] {
  return examples.map((example) => example.replace(/^!/, () => prefix));
}

/** `!build <project> [branch, tag, commit or PR#12] [key=value…] [--keep=time]` */
export function usage(command: Command, prefix: string): string {
  const forms = argumentForms(command.args).map(({ name, takes, required, label }) => {
    if (takes === "pairs") return "[key=value…]";
    if (takes === "switch") return `[--${name}]`;
    if (takes === "option") return `[--${name}=${label}]`;
    const shown = takes === "rest" ? `${label}…` : label;
    return required ? `<${shown}>` : `[${shown}]`;
  });
  return [`${prefix}${command.name}`, ...forms].join(" ");
}
