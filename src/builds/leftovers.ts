/**
 * What attempts at builds left on the engine and in the data folder, looked at again and again: a worker that was cut off, or killed
 * and started again, learns only later that another one has gone on with its build.
 */
import { readdir } from "node:fs/promises";
import { ifMissing } from "../missing.ts";
import { BuildNumber } from "../names.ts";
import { beganElsewhere } from "./build.ts";
import { logsFolder, numbersWithPieces } from "./log-files.ts";
import { clearAttempt } from "./take-over.ts";
import { type Workshop, workFolders } from "./tidy.ts";

export interface Leftovers {
  /**
   * The build is at work here, and what is here of it stays until the function given back is called. Waits for what is just being
   * removed of an earlier attempt.
   */
  hold(number: number): Promise<() => void>;
  /**
   * Removes what is left of builds that are over, unknown or taken up by another worker; what may be gone on with here stays.
   * @throws RuntimeError when the engine, and whatever the store throws when Redis, does not answer.
   */
  sweep(): Promise<void>;
}

export function watchLeftovers(scene: Workshop): Leftovers {
  const { runtime, store, instance, config, log } = scene;
  /** How often each is held: one that was lost may be back before its first attempt has let go. */
  const held = new Map<number, number>();
  const clearing = new Map<number, Promise<void>>();

  async function numbersHere(): Promise<BuildNumber[]> {
    const mine = { "docker-ci.instance": instance };
    const labels = [
      ...(await runtime.find(mine)).map(({ container }) => container.labels),
      ...(await runtime.findNetworks(mine)).map((network) => network.labels),
      // Those of a branch or a pull request have no number, and stay.
      ...(await runtime.findVolumes(mine)).map((volume) => volume.labels),
    ];
    const folders: string[] = await readdir(workFolders(config)).catch(ifMissing([] /* nothing was ever fetched */));
    const names = [
      ...labels.flatMap((label) => label["docker-ci.build"] ?? []),
      ...folders,
      ...(await numbersWithPieces(logsFolder(config))),
    ];
    return [...new Set(names)].flatMap((name) => BuildNumber.safeParse(Number(name)).data ?? []);
  }

  return {
    async hold(number) {
      held.set(number, (held.get(number) ?? 0) + 1);
      await clearing.get(number);
      return () => {
        const left = (held.get(number) ?? 1) - 1;
        if (left === 0) held.delete(number);
        else held.set(number, left);
      };
    },
    async sweep() {
      // What is here is listed before the records are read: whatever is listed had begun by then.
      const here = (await numbersHere()).filter((number) => !held.has(number));
      if (here.length === 0) return;
      const under = [...(await store.inState("queued")), ...(await store.inState("running"))];
      // What another worker has gone on with begins anew there, whatever is left of it here.
      const alive = new Set(under.filter((build) => !beganElsewhere(build, instance)).map(({ number }) => number));
      for (const number of here) {
        if (alive.has(number) || held.has(number)) continue;
        log.info({ build: number }, "removing what an earlier attempt left");
        const cleared = clearAttempt(scene, { number });
        const over = cleared.catch(() => undefined /* thrown below; who waits wants it only to be over */);
        clearing.set(number, over);
        await cleared.finally(() => clearing.delete(number));
      }
    },
  };
}
