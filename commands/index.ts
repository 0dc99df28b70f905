/** Every chat command. A new one is a file of its own and a line here. */
import type { Command } from "../src/chat/command.ts";
import { approve } from "./approve.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { backups } from "./backups.ts";
import { build } from "./build.ts";
import { cancel } from "./cancel.ts";
import { claim } from "./claim.ts";
import { coverage } from "./coverage.ts";
import { disk } from "./disk.ts";
import { drain } from "./drain.ts";
import { eta } from "./eta.ts";
import { flaky } from "./flaky.ts";
import { force } from "./force.ts";
import { hello } from "./hello.ts";
import { help } from "./help.ts";
import { incidents } from "./incidents.ts";
import { last } from "./last.ts";
import { link } from "./link.ts";
import { links } from "./links.ts";
import { list } from "./list.ts";
import { log } from "./log.ts";
import { mute } from "./mute.ts";
import { nightly } from "./nightly.ts";
import { notify } from "./notify.ts";
import { okToTest } from "./ok-to-test.ts";
import { outbox } from "./outbox.ts";
import { pause } from "./pause.ts";
import { quarantine } from "./quarantine.ts";
import { queue } from "./queue.ts";
import { rebuild } from "./rebuild.ts";
import { reject } from "./reject.ts";
import { release } from "./release.ts";
import { releases } from "./releases.ts";
import { report } from "./report.ts";
import { repro } from "./repro.ts";
import { resume } from "./resume.ts";
import { rollback } from "./rollback.ts";
import { schedule } from "./schedule.ts";
import { shutdown } from "./shutdown.ts";
import { snooze } from "./snooze.ts";
import { source } from "./source.ts";
import { status } from "./status.ts";
import { subscribe } from "./subscribe.ts";
import { tests } from "./tests.ts";
import { undrain } from "./undrain.ts";
import { unlink } from "./unlink.ts";
import { unlock } from "./unlock.ts";
import { unmute } from "./unmute.ts";
import { unquarantine } from "./unquarantine.ts";
import { unsubscribe } from "./unsubscribe.ts";
import { verify } from "./verify.ts";
import { version } from "./version.ts";
import { watch } from "./watch.ts";
import { whoami } from "./whoami.ts";
import { why } from "./why.ts";
import { workers } from "./workers.ts";

export const commands: readonly Command[] = [
  build,
  force,
  rebuild,
  cancel,
  okToTest,
  release,
  approve,
  reject,
  releases,
  verify,
  rollback,
  status,
  list,
  last,
  queue,
  eta,
  nightly,
  schedule,
  pause,
  resume,
  log,
  why,
  repro,
  tests,
  coverage,
  flaky,
  quarantine,
  unquarantine,
  incidents,
  claim,
  snooze,
  watch,
  subscribe,
  unsubscribe,
  notify,
  mute,
  unmute,
  workers,
  drain,
  undrain,
  help,
  hello,
  whoami,
  outbox,
  link,
  unlink,
  version,
  source,
  links,
  disk,
  audit,
  unlock,
  backup,
  backups,
  report,
  shutdown,
];
