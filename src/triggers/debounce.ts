/** Pushes that wait until no other comes behind them (`debounce:`); kept in Redis, so that a restart forgets none. */
import { z } from "zod";
import type { Project } from "../config.ts";
import { describeError } from "../errors.ts";
import { GitRef, ProjectName, Sha } from "../names.ts";
import { formatDuration } from "../units.ts";
import type { Pushed, Taken } from "./change.ts";
import { keptHash } from "./kept.ts";
import { whyNotBuilt } from "./rules.ts";
import type { Scene } from "./scene.ts";

const LOOK_MS = 500;
/** After git did not answer. */
const AGAIN_MS = 30_000;

const Debounced = z.strictObject({
  dueAt: z.iso.datetime(),
  project: ProjectName,
  by: z.string(),
  branch: GitRef,
  before: Sha.optional(),
  after: Sha,
  messages: z.array(z.string()),
  files: z.array(z.string()).optional(),
});
type Debounced = z.infer<typeof Debounced>;

export interface Debounce extends AsyncDisposable {
  /** Keeps the push, in place of one of the same branch that waits. Called when it is the branch's turn. */
  offer(project: Project, push: Pushed): Promise<Taken>;
}

/**
 * @param act does what the push asks for, during its branch's turn. @param actInTurn waits for that turn first, and is called again
 * where it throws.
 */
export function createDebounce(
  scene: Scene,
  act: (push: Pushed) => Promise<Taken>,
  actInTurn: (push: Pushed) => Promise<Taken>,
): Debounce {
  const { redis, clock, config, log, signal } = scene;
  const waiting = keptHash(redis, "docker-ci:triggers:debounced", Debounced);

  async function flush(): Promise<void> {
    for (const [field, before] of await waiting.all()) {
      const { value } = before;
      if (signal.aborted || (value !== undefined && Date.parse(value.dueAt) > clock.now().getTime())) continue;
      try {
        if (value !== undefined) await actInTurn(toPush(value));
        await waiting.change(field, before, undefined);
      } catch (error) {
        log.warn({ reason: describeError(error), push: field }, "a push could not be acted on yet");
        if (signal.aborted || value === undefined) return;
        const dueAt = new Date(clock.now().getTime() + AGAIN_MS).toISOString();
        await waiting.change(field, before, { ...value, dueAt });
      }
    }
  }

  let looking: Promise<void> | undefined;
  const look = (): void => {
    looking ??= flush()
      .catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look at the pushes that wait"))
      .finally(() => {
        looking = undefined;
      });
  };
  const isUsed = [...config.projects.values()].some(({ debounceMs }) => debounceMs !== undefined);
  const timer = isUsed ? setInterval(look, LOOK_MS) : undefined;
  timer?.unref();

  return {
    async offer(project, push) {
      const field = `${push.project} ${push.branch}`;
      const waitMs = project.debounceMs ?? 0;
      const reason = `it waits ${formatDuration(waitMs)} for another push of ${push.branch}`;
      for (;;) {
        const before = await waiting.read(field);
        if (before.value?.after === push.after) return { kind: "waits", reason };
        // A newer one that says that it is not to be built does not speak for the older.
        if (before.value !== undefined && whyNotBuilt(project, push.messages.at(-1), undefined) !== undefined) {
          await act(toPush(before.value));
        }
        const dueAt = new Date(clock.now().getTime() + waitMs).toISOString();
        if (await waiting.change(field, before, together(before.value, push, dueAt))) return { kind: "waits", reason };
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

/** The newer push, with the files of both where both are known. */
function together(older: Debounced | undefined, push: Pushed, dueAt: string): Debounced {
  const { kind: _, before, files, messages, ...rest } = push;
  const from = older === undefined ? before : older.before;
  const all = older === undefined ? files : older.files && files && [...new Set([...older.files, ...files])];
  return {
    ...rest,
    dueAt,
    messages: [...messages],
    ...(from === undefined ? {} : { before: from }),
    ...(all === undefined ? {} : { files: [...all] }),
  };
}

function toPush({ dueAt: _, ...push }: Debounced): Pushed {
  return { ...push, kind: "push", before: push.before, files: push.files };
}
