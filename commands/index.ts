/** Every chat command. A new one is a file of its own and a line here. */
import type { Command } from "../src/chat/command.ts";
import { build } from "./build.ts";
import { cancel } from "./cancel.ts";
import { help } from "./help.ts";
import { last } from "./last.ts";
import { log } from "./log.ts";
import { queue } from "./queue.ts";
import { rebuild } from "./rebuild.ts";
import { shutdown } from "./shutdown.ts";
import { status } from "./status.ts";
import { version } from "./version.ts";
import { whoami } from "./whoami.ts";
import { workers } from "./workers.ts";

export const commands: readonly Command[] = [
  build,
  rebuild,
  cancel,
  status,
  last,
  queue,
  log,
  workers,
  help,
  whoami,
  version,
  shutdown,
];
