/** Holds new builds before a disk is full, and says so; lets them go on when there is room again. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { line } from "../chat/reply.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { describeError } from "../errors.ts";
import { roomsOfAll } from "../incidents/recipients.ts";
import { OUTBOX_ROOMS, type OutboxEntry } from "../queue/outbox-entry.ts";
import { pushArguments, pushLua } from "../queue/push.ts";
import { formatBytes } from "../units.ts";
import { type DiskSpace, lookAtDisks, type Place } from "./disk.ts";

const FULL = "docker-ci:disks:full";
const LOOK_MS = 5_000;
/** So much more has to be free before builds begin again, lest they begin and stop by turns. */
const ROOM_AGAIN = 1.1;

/** KEYS: full disks, rooms with an outbox. ARGV: worker, "1" for full, `pushArguments`. Returns whether that was news. */
const TELL = `
local was = redis.call('SISMEMBER', KEYS[1], ARGV[1])
if tostring(was) == ARGV[2] then return 0 end
if ARGV[2] == '1' then redis.call('SADD', KEYS[1], ARGV[1]) else redis.call('SREM', KEYS[1], ARGV[1]) end
${pushLua({ rooms: 2, first: 3 })}return 1
`;

export interface DiskWatchScene {
  /** Whose disks they are, for people. */
  readonly worker: string;
  places(): Promise<readonly Place[]>;
  readonly freeBytes: number;
  /** Clears up now, before anything is held: it may be enough. */
  clearUp(): Promise<void>;
  readonly config: Pick<Config, "mail" | "notify" | "url">;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface DiskWatch extends AsyncDisposable {
  /** Why no build may begin here, if none may: `1.2 GB free of 40 GB, and builds begin with 2 GB`. */
  readonly held: string | undefined;
  /** Looks now. */
  look(): Promise<void>;
  /** Looks only whether there is room still, which costs next to nothing: for the moment in which a build has ended. */
  glance(): Promise<void>;
}

/** @param lookMs how often it looks. @param onChange told when builds are held, and when they are let go. */
export function watchDisks(scene: DiskWatchScene, onChange: () => void, lookMs = LOOK_MS): DiskWatch {
  const { worker, freeBytes, config, redis, clock, log } = scene;
  let held: string | undefined;
  let hasCleared = false;
  /** What was told last, as far as this process knows. */
  let told: "full" | "room" | undefined;
  let looking: Promise<void> | undefined;

  /** Where the last look was. */
  let places: readonly Place[] = [];
  const fullestKnown = async (): Promise<DiskSpace | undefined> =>
    (await lookAtDisks(places, (reason) => log.warn({ reason }, "a disk cannot be watched")))[0];
  const fullest = async (): Promise<DiskSpace | undefined> => {
    places = await scene.places();
    return fullestKnown();
  };

  const tell = async (disk: DiskSpace | undefined): Promise<void> => {
    const facts =
      disk === undefined
        ? [`${worker} has room on its disks again`, "builds begin"]
        : [
            `${worker} begins no builds: ${wordsOf(disk, freeBytes)}`,
            "what runs goes on; !disk says what takes the room",
          ];
    const at = clock.now().toISOString();
    const reply = { lines: [line(disk === undefined ? "passed" : "errored", facts, `${config.url}/workers`)] };
    const entries = roomsOfAll(config).map(
      (room): OutboxEntry => ({
        id: `disk-${worker}-${at}`,
        at,
        about: `disk ${worker}`,
        outgoing: { room, reply: { ...reply, key: `disk-${worker}` }, priority: "notice" },
      }),
    );
    const isFull = disk !== undefined;
    const full = isFull ? "1" : "0";
    await redis.eval(TELL, 2, FULL, OUTBOX_ROOMS, worker, full, ...pushArguments(entries));
    told = isFull ? "full" : "room";
  };

  const lookOnce = async (): Promise<void> => {
    let disk = await fullest();
    if (disk !== undefined && disk.freeBytes < freeBytes * 2 && !hasCleared) {
      hasCleared = true;
      await scene.clearUp();
      disk = await fullest();
    }
    const isFull = disk !== undefined && disk.freeBytes < freeBytes * (held === undefined ? 1 : ROOM_AGAIN);
    const before = held;
    held = isFull && disk !== undefined ? wordsOf(disk, freeBytes) : undefined;
    if (!isFull && (disk === undefined || disk.freeBytes > freeBytes * 2)) hasCleared = false;
    if ((before === undefined) !== (held === undefined)) {
      log.warn({ held: held ?? "no more" }, "builds are held by a full disk");
      onChange();
    }
    // Told by the state in Redis: whoever was killed after the disk ran full is not told twice, nor left without the end of it.
    if (told !== (isFull ? "full" : "room")) await tell(isFull ? disk : undefined);
  };
  const look = (): Promise<void> => {
    looking ??= lookOnce()
      .catch((error: unknown) => log.warn({ reason: describeError(error) }, "could not look after the disks"))
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };
  const timer = setInterval(() => void look(), lookMs);
  timer.unref();
  void look();
  return {
    get held() {
      return held;
    },
    look,
    async glance() {
      const disk = await fullestKnown();
      if (held !== undefined || disk === undefined || disk.freeBytes >= freeBytes) return;
      // One that is under way may have begun before.
      await looking;
      await look();
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
    },
  };
}

function wordsOf({ of, freeBytes, totalBytes }: DiskSpace, needed: number): string {
  return `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free on the disk of the ${of}, and builds need ${formatBytes(needed)}`;
}
