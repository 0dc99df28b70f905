#!/usr/bin/env node
/** The command line, and the one place where the adapters are chosen. */
import { fstatSync } from "node:fs";
import type { Adapters } from "./command-line/adapters.ts";
import { holdSmallHeap } from "./command-line/small-heap.ts";
import { holdYoungHeap } from "./command-line/young-heap.ts";
import { ConfigError, describeError, RuntimeError, UserError } from "./errors.ts";
import type { OpenStore } from "./object-store.ts";
import { VERSION } from "./package.ts";

const USAGE = `docker-ci ${VERSION}: continuous integration that lives in your team's chat

  docker-ci start [--no-worker]   the bot, the page and a worker; on a terminal also a chat
  docker-ci worker                a worker only, for another machine (takes redis: in the configuration)
  docker-ci run [folder]          the pipeline of a folder, uncommitted changes and all, here and now
  docker-ci check                 the configuration and every connection
  docker-ci check <file>          a pipeline such as .docker-ci.yml: its mistakes, or its plan
  docker-ci schema                the JSON schema of .docker-ci.yml, for editors
  docker-ci health                whether the docker-ci of this configuration answers; status 0 or 1
  docker-ci prune [--dry-run]     clears up what had its time, or says what that would remove
  docker-ci audit verify          whether the audit log is whole
  docker-ci worker-token [name]   a token for a worker elsewhere, in the place of its last; --revoke; none lists
  docker-ci redis-acl [--file]    the rules of the Redis user for workers elsewhere, with the password BUILDBOT_PWD
  docker-ci backup                a backup of everything, proven and copied; --prune [--dry-run] removes old ones
  docker-ci restore <file|s3 url> a backup in the place of what is here, which is kept; --yes asks nobody
  docker-ci help, --version

The configuration is ./docker-ci.yml, or the file that DOCKER_CI_CONFIG names; none is fine for a first look.
`;

/** Exit codes (sysexits.h): what was typed, what is configured, what is not there. */
const EXIT = { ok: 0, failed: 1, usage: 64, unavailable: 69, config: 78 } as const;

async function main(argv: readonly string[]): Promise<number> {
  const [verb = "help", ...rest] = argv;
  const unknown = (word: string): number => {
    process.stderr.write(`docker-ci ${verb}: "${word}" is not understood.\n\n${USAGE}`);
    return EXIT.usage;
  };
  if (rest.some((word) => word === "--help" || word === "-h")) {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  switch (verb) {
    case "start": {
      const wrong = rest.find((word) => word !== "--no-worker");
      if (wrong !== undefined) return unknown(wrong);
      const letGrow = holdYoungHeap();
      const { startBot } = await import("./command-line/start-bot.ts");
      const adapters = await loadAdapters();
      return startBot({ adapters, worker: !rest.includes("--no-worker"), input: inputKind(), isUp: letGrow });
    }
    case "worker": {
      if (rest[0] !== undefined) return unknown(rest[0]);
      const { startWorker } = await import("./command-line/start-worker.ts");
      return startWorker(await loadAdapters());
    }
    case "run": {
      if (rest[1] !== undefined) return unknown(rest[1]);
      const { runFolder } = await import("./command-line/run-folder.ts");
      return runFolder(await loadAdapters(), rest[0] ?? ".");
    }
    case "check": {
      const wrong = rest[0]?.startsWith("--") === true ? rest[0] : rest[1];
      if (wrong !== undefined) return unknown(wrong);
      if (rest[0] !== undefined) {
        const { checkFile } = await import("./command-line/check-file.ts");
        return checkFile(rest[0], (text) => process.stdout.write(text));
      }
      const { check } = await import("./command-line/check.ts");
      return check(await loadAdapters());
    }
    case "prune": {
      const wrong = rest.find((word) => word !== "--dry-run");
      if (wrong !== undefined) return unknown(wrong);
      const { pruneNow } = await import("./command-line/prune.ts");
      return pruneNow(await loadAdapters(), rest.length > 0, (text) => process.stdout.write(`${text}\n`));
    }
    case "health": {
      if (rest[0] !== undefined) return unknown(rest[0]);
      const { health } = await import("./command-line/health.ts");
      return health((text) => process.stderr.write(`docker-ci: ${text}\n`));
    }
    case "schema": {
      if (rest[0] !== undefined) return unknown(rest[0]);
      const { pipelineJsonSchema } = await import("./pipeline/json-schema.ts");
      process.stdout.write(pipelineJsonSchema());
      return EXIT.ok;
    }
    case "audit": {
      const wrong = rest[0] === "verify" ? rest[1] : (rest[0] ?? "");
      if (wrong !== undefined) return unknown(wrong);
      const { verifyAudit } = await import("./command-line/audit.ts");
      return verifyAudit();
    }
    case "worker-token": {
      const [worker, ...others] = rest.filter((word) => word !== "--revoke");
      const wrong = worker?.startsWith("-") === true ? worker : others[0];
      if (wrong !== undefined) return unknown(wrong);
      const revoke = rest.includes("--revoke");
      if (revoke && worker === undefined) return unknown("--revoke");
      const { workerToken } = await import("./command-line/worker-token.ts");
      return workerToken(worker, revoke, {
        print: (text) => process.stdout.write(text),
        note: (text) => process.stderr.write(`docker-ci: ${text}`),
      });
    }
    case "redis-acl": {
      const wrong = rest.find((word) => word !== "--file");
      if (wrong !== undefined) return unknown(wrong);
      const { redisAcl } = await import("./command-line/redis-acl.ts");
      return redisAcl(process.env.BUILDBOT_PWD, rest.length > 0, (text) => process.stdout.write(text));
    }
    case "backup": {
      const wrong = rest.find((word) => word !== "--prune" && !(word === "--dry-run" && rest.includes("--prune")));
      if (wrong !== undefined) return unknown(wrong);
      // Before anything is loaded, so that it takes no more than it needs.
      holdSmallHeap();
      const { backup } = await import("./command-line/backup.ts");
      return backup(openStore, { prune: rest.includes("--prune"), dryRun: rest.includes("--dry-run") });
    }
    case "restore": {
      const [source = "", ...others] = rest.filter((word) => word !== "--yes");
      const wrong = source === "" || source.startsWith("-") ? source : others[0];
      if (wrong !== undefined) return unknown(wrong);
      holdSmallHeap();
      const { restoreBackup } = await import("./command-line/restore.ts");
      return restoreBackup(openStore, { source, yes: rest.includes("--yes") });
    }
    case "version":
    case "--version":
      process.stdout.write(`docker-ci ${VERSION}\n`);
      return EXIT.ok;
    case "help":
    case "--help":
    case "-h":
      process.stdout.write(USAGE);
      return EXIT.ok;
    default:
      process.stderr.write(`docker-ci: there is no command "${verb}".\n\n${USAGE}`);
      return EXIT.usage;
  }
}

/** Loaded with the first bucket. */
const openStore: OpenStore = async (bucket) => {
  const { openS3 } = await import("../adapters/s3/index.ts");
  return openS3(bucket);
};

/** Loaded together and only when something is to be done: they take most of the start. */
async function loadAdapters(): Promise<Adapters> {
  const [irc, terminal, docker, testbuilder, { commands }, job, report, nightly, pruning, backup, forges] =
    await Promise.all([
      import("../adapters/irc/index.ts"),
      import("../adapters/console/index.ts"),
      import("../adapters/docker/index.ts"),
      import("../adapters/testbuilder/index.ts"),
      import("../commands/index.ts"),
      import("../jobs/build.ts"),
      import("../jobs/report.ts"),
      import("../jobs/nightly.ts"),
      import("../jobs/prune.ts"),
      import("../jobs/backup.ts"),
      import("../adapters/forge/apis.ts"),
    ]);
  return {
    commands,
    terminalNetwork: terminal.CONSOLE,
    openTerminal: (options) =>
      terminal.openConsole({
        ...options,
        input: process.stdin,
        output: process.stdout,
        colours: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
      }),
    async openIrc(network, log) {
      return irc.connectIrc(await irc.fromConfig(network, VERSION), { log });
    },
    async openSlack(workspace, redis, log) {
      const [slack, { drawChart }] = await Promise.all([
        import("../adapters/slack/index.ts"),
        import("../adapters/chart/index.ts"),
      ]);
      const memory = slack.createSlackMemory(redis, workspace.name);
      const journal = slack.createSlackJournal(redis, workspace.name, log);
      return slack.connectSlack(slack.fromConfig(workspace, VERSION), { log, memory, journal, drawChart });
    },
    async probeSlack(workspace, log) {
      const slack = await import("../adapters/slack/index.ts");
      return slack.probeSlack(slack.fromConfig(workspace, VERSION), log);
    },
    async openMail(mail, url, log) {
      const { connectMail } = await import("../adapters/smtp/index.ts");
      return connectMail(mail, { log, url, version: VERSION });
    },
    forgeApis: (config) => forges.forgeApis(config, VERSION),
    async readHook(forge, request) {
      const { READ_HOOK } = await import("../adapters/forge/read-hooks.ts");
      return READ_HOOK[forge](request);
    },
    startReport: report.startReportSchedule,
    startNightlies: nightly.startNightlies,
    startPruning: pruning.startPruning,
    startBackups: backup.startBackups,
    async loadReleaseJobs() {
      const [{ startReleases }, { startNightReleases }, { startVerifying }] = await Promise.all([
        import("../jobs/release.ts"),
        import("../jobs/nightly-release.ts"),
        import("../jobs/verify-releases.ts"),
      ]);
      return { startReleases, startNightReleases, startVerifying };
    },
    openEngine(config, instance, log, beside) {
      const runtime = docker.connectDocker(config.engine);
      const repositories = [...config.projects.values()].map(({ repo }) => repo);
      const cacheVolume = `docker-ci-${instance}-git`;
      return {
        runtime,
        revisions: testbuilder.openTestbuilder({
          runtime,
          repositories,
          instance: beside === undefined ? instance : `${instance}-${beside}`,
          cacheVolume,
          log,
        }),
      };
    },
    openStore,
    async openSigner(keys) {
      const { openSigner } = await import("../adapters/openpgp/index.ts");
      return openSigner(keys);
    },
    async verifySignature(...asked) {
      const { verifySignature } = await import("../adapters/openpgp/index.ts");
      return verifySignature(...asked);
    },
    createRunner: job.createBuildRunner,
  };
}

/** A person's terminal, commands on a pipe or from a file, or nobody: a service has /dev/null. */
function inputKind(): "terminal" | "pipe" | "none" {
  if (process.stdin.isTTY === true) return "terminal";
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile() || stat.isSocket() ? "pipe" : "none";
  } catch {
    // Standard input is closed: a service.
    return "none";
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`docker-ci: ${error instanceof ConfigError ? error.message : describeError(error)}\n`);
  const isSaid = [ConfigError, RuntimeError, UserError].some((kind) => error instanceof kind);
  if (!isSaid && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ""}\n`);
  }
  process.exitCode =
    error instanceof ConfigError ? EXIT.config : error instanceof RuntimeError ? EXIT.unavailable : EXIT.failed;
}
