/** Whether the mail server takes mail: found out at once, then told by every mail, and while it does not, tried again for ever. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { ChatState } from "../../src/chat/chat.ts";
import { deferred } from "../../src/lifecycle.ts";
import type { SmtpFailure } from "./failure.ts";
import type { SmtpTiming } from "./options.ts";

export interface LivenessOptions {
  /** The recipients, as a chat's rooms. */
  readonly rooms: readonly string[];
  readonly timing: SmtpTiming;
  readonly log: Logger;
  /** Asks the server. Resolves with what is wrong, or undefined. */
  probe(signal: AbortSignal): Promise<SmtpFailure | undefined>;
}

export interface Liveness extends Disposable {
  readonly state: ChatState;
  /** Resolves when the first question is answered. */
  readonly known: Promise<void>;
  onState(listener: (state: ChatState) => void): () => void;
  /** A mail was taken. */
  proved(): void;
  /** A mail was not, and no other would be. */
  lost(failure: SmtpFailure): void;
}

export function watchServer({ rooms, timing, log, probe }: LivenessOptions): Liveness {
  const stopped = new AbortController();
  const listeners = new Set<(state: ChatState) => void>();
  let state: ChatState = { kind: "away", since: new Date(), reason: "connecting" };
  /** Doubles until a mail got through: a server that lets us in and then fails every mail is not knocked at each second. */
  let delayMs = timing.retryMinMs;
  let asking = false;
  const known = deferred<void>();

  const change = (next: ChatState): void => {
    const same =
      state.kind === next.kind &&
      (next.kind === "connected" || (state.kind === "away" && state.reason === next.reason));
    if (same) return;
    const before = state;
    state = next;
    if (next.kind === "away") log.warn({ reason: next.reason }, "mail cannot be sent now");
    else if (before.kind === "away" && before.reason !== "connecting") log.info("mail can be sent again");
    for (const listener of listeners) listener(next);
  };
  const away = ({ kind, sentence }: SmtpFailure): number => {
    change({ kind: "away", since: state.kind === "away" ? state.since : new Date(), reason: sentence });
    const waitMs = kind === "unwelcome" ? timing.loginRetryMs : delayMs;
    delayMs = Math.min(delayMs * 2, timing.retryMaxMs);
    return waitMs * (0.5 + Math.random() / 2);
  };
  /** Asks until it is well. @param waitMs before the first question. */
  const ask = async (waitMs: number): Promise<void> => {
    if (asking) return;
    asking = true;
    let nextMs = waitMs;
    while (!stopped.signal.aborted) {
      // The abort ends the wait, and the loop's condition sees it.
      if (nextMs > 0) await sleep(nextMs, undefined, { signal: stopped.signal, ref: false }).catch(() => undefined);
      if (stopped.signal.aborted) break;
      const failure = await probe(stopped.signal);
      if (stopped.signal.aborted) break;
      if (failure === undefined) {
        asking = false;
        change({ kind: "connected", since: new Date(), rooms });
        known.resolve();
        return;
      }
      nextMs = away(failure);
      known.resolve();
    }
    asking = false;
  };
  void ask(0);

  return {
    get state() {
      return state;
    },
    known: known.promise,
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    proved() {
      delayMs = timing.retryMinMs;
      if (!asking) change({ kind: "connected", since: new Date(), rooms });
    },
    lost(failure) {
      const waitMs = away(failure);
      void ask(waitMs);
    },
    [Symbol.dispose]() {
      stopped.abort(new Error("docker-ci is closing"));
      known.resolve();
      listeners.clear();
    },
  };
}
