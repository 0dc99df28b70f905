/** Cancels and the process's own stop, brought to the builds at work in this process as an AbortSignal each. */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { BuildNumber } from "../names.ts";
import { Cancelled, HandedOver } from "../pipeline/stop.ts";
import { type Builds, CancelRequest } from "./builds.ts";

export interface Cancellations extends AsyncDisposable {
  /** A signal that aborts with Cancelled or HandedOver; `end` must be called when the work is over. */
  watch(number: BuildNumber): Promise<{ readonly signal: AbortSignal; end(): void }>;
  /** Every watched build is to be left as it is, now and from now on. */
  handOver(): void;
}

/** @param subscriber a connection of its own, in subscriber mode from now on; not closed here. */
export async function watchCancellations(builds: Builds, subscriber: Redis, log: Logger): Promise<Cancellations> {
  const watched = new Map<BuildNumber, AbortController>();
  let stopping = false;
  const cancel = ({ number, by, reason }: CancelRequest): void => watched.get(number)?.abort(new Cancelled(by, reason));

  subscriber.on("message", (channel: string, json: string) => {
    if (channel !== builds.cancelChannel) return;
    const request = readRequest(json);
    if (request !== undefined) cancel(request);
    else log.warn({ json: json.slice(0, 200) }, "a cancel that cannot be read");
  });
  // After an outage of Redis a cancel may have been missed: the request is kept beside the record as well.
  subscriber.on("ready", () => {
    for (const number of watched.keys()) {
      void builds.cancelRequest(number).then(
        (request) => request && cancel(request),
        (error: unknown) => log.warn({ err: error }, "could not look for a missed cancel"),
      );
    }
  });
  await subscriber.subscribe(builds.cancelChannel);

  return {
    async watch(number) {
      const controller = new AbortController();
      watched.set(number, controller);
      if (stopping) controller.abort(new HandedOver());
      const request = await builds.cancelRequest(number);
      if (request !== undefined) cancel(request);
      return { signal: controller.signal, end: () => watched.delete(number) };
    },
    handOver() {
      stopping = true;
      for (const controller of watched.values()) controller.abort(new HandedOver());
    },
    async [Symbol.asyncDispose]() {
      await subscriber.unsubscribe(builds.cancelChannel).catch((error: unknown) => {
        log.debug({ err: error }, "Redis was gone before the subscription ended");
      });
    },
  };
}

/** Undefined for what is none; whoever can publish in this Redis must not be able to end the process. */
function readRequest(json: string): CancelRequest | undefined {
  try {
    return CancelRequest.safeParse(JSON.parse(json)).data;
  } catch {
    // Not even JSON; the caller logs it.
    return undefined;
  }
}
