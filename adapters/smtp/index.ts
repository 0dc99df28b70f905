/**
 * Mail as a chat that only speaks: a network called `mail` whose rooms are its recipients, so that the outbox keeps, orders and
 * retries what is mailed as it does what is said.
 */
import type { Transporter } from "nodemailer";
import type { Logger } from "pino";
import type { Chat, Outgoing } from "../../src/chat/chat.ts";
import type { MailConfig } from "../../src/config.ts";
import { RuntimeError } from "../../src/errors.ts";
import { MAIL } from "../../src/incidents/recipients.ts";
import { headerOf, mailbox } from "./envelope.ts";
import { readFailure, type SmtpFailure } from "./failure.ts";
import { watchServer } from "./liveness.ts";
import { SMTP_TIMING, type SmtpTiming, transportOptions } from "./options.ts";
import { probeServer } from "./probe.ts";
import { renderMail } from "./render.ts";

export interface MailDeps {
  readonly log: Logger;
  /** Of the pages: its host stands in the names of mails. */
  readonly url: string;
  readonly version: string;
  readonly timing?: SmtpTiming;
}

/**
 * Begins to try the server, and returns at once. `send` resolves when the server has taken the mail, and rejects with a
 * RuntimeError whose `retryable` is false when it never will take this mail for this recipient (5xx to RCPT or DATA): then
 * whoever sends drops it. A server that is away, a refused login, a refused sender and 4xx are worth another try.
 */
export function connectMail(config: MailConfig, { log, url, version, timing = SMTP_TIMING }: MailDeps): Chat {
  const server = `${config.host}:${config.port}`;
  const closing = new AbortController();
  /** The last mail of every recipient: the next one waits for it, so that they arrive in order. */
  const lastOf = new Map<string, Promise<unknown>>();
  let transport: Transporter | undefined;

  const options = () => transportOptions(config, timing);
  const open = async (): Promise<Transporter> => {
    if (transport !== undefined) return transport;
    const [{ createTransport }, settings] = await Promise.all([import("nodemailer"), options()]);
    transport ??= createTransport({ ...settings, pool: true });
    return transport;
  };
  const liveness = watchServer({
    rooms: config.to,
    timing,
    log,
    async probe(signal): Promise<SmtpFailure | undefined> {
      try {
        await probeServer(await options(), signal);
        return undefined;
      } catch (error) {
        return readFailure(error, server);
      }
    },
  });

  const deliver = async (outgoing: Outgoing): Promise<void> => {
    await liveness.known;
    if (closing.signal.aborted) throw new RuntimeError("docker-ci is closing");
    const { state } = liveness;
    if (state.kind === "away") throw new RuntimeError(state.reason);
    const recipient = mailbox(outgoing.room.name).address;
    if (!/^[^\s@]+@[^\s@]+$/.test(recipient)) {
      throw new RuntimeError(`"${recipient}" is no mail address`, { retryable: false });
    }
    const tooLong = AbortSignal.timeout(timing.sendMs);
    try {
      await (await open()).sendMail({
        ...headerOf(outgoing, config.from, url),
        ...renderMail(outgoing.reply),
        xMailer: `docker-ci ${version}`,
        signal: AbortSignal.any([closing.signal, tooLong]),
      });
    } catch (error) {
      const failure = readFailure(error, server, recipient);
      if (failure.kind === "away" || failure.kind === "unwelcome") liveness.lost(failure);
      throw new RuntimeError(failure.sentence, { cause: error, retryable: failure.kind !== "refused" });
    }
    liveness.proved();
  };

  return {
    network: MAIL,
    get state() {
      return liveness.state;
    },
    send(outgoing) {
      const room = outgoing.room.name;
      const sent = (lastOf.get(room) ?? Promise.resolve()).then(() => deliver(outgoing));
      // Whoever sends hears of a failure; the next mail only waits for the end.
      const over = sent
        .catch(() => undefined)
        .then(() => {
          if (lastOf.get(room) === over) lastOf.delete(room);
        });
      lastOf.set(room, over);
      return sent;
    },
    // Nobody answers a mail from here.
    onMessage: () => () => undefined,
    onState: (listener) => liveness.onState(listener),
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("docker-ci is closing"));
      liveness[Symbol.dispose]();
      transport?.close();
    },
  };
}
