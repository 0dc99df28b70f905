/** Every verb, in the order in which they are listed; another one is one more file and one more line here. */
import { backends } from "./backends.ts";
import { create } from "./create.ts";
import { diff } from "./diff.ts";
import { init } from "./init.ts";
import { login } from "./login.ts";
import { logs } from "./logs.ts";
import { pull } from "./pull.ts";
import { register } from "./register.ts";
import { remove } from "./remove.ts";
import { rollback } from "./rollback.ts";
import { start } from "./start.ts";
import { status } from "./status.ts";
import { stop } from "./stop.ts";
import { switchOver } from "./switch.ts";
import { unregister } from "./unregister.ts";
import { unregisterAll } from "./unregister-all.ts";
import type { Verb } from "./verb.ts";

export const VERBS: readonly Verb[] = [
  init,
  login,
  pull,
  create,
  start,
  status,
  logs,
  diff,
  stop,
  remove,
  register,
  switchOver,
  rollback,
  backends,
  unregister,
  unregisterAll,
];
