/** From the configuration's words to nodemailer's. */
import { readFile } from "node:fs/promises";
import type { SMTPPoolOptions } from "nodemailer";
import type { MailConfig } from "../../src/config.ts";
import { describeError, RuntimeError } from "../../src/errors.ts";

/** TLS from the first byte (RFC 8314, 3.3); on every other port it begins with STARTTLS. */
const SECURE_PORT = 465;

export interface SmtpTiming {
  /** A server that does not answer within this is away. */
  readonly connectMs: number;
  /** A server that says nothing for this long in the middle of a mail is away. */
  readonly silenceMs: number;
  /** The whole of one mail: no server may keep the others waiting by saying a word now and then. */
  readonly sendMs: number;
  /** The first wait before a server that is away is tried again; it doubles up to `retryMaxMs`. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** After a refused login, which only a person can mend, and which gets an account locked when repeated. */
  readonly loginRetryMs: number;
}

export const SMTP_TIMING: SmtpTiming = {
  connectMs: 15_000,
  silenceMs: 60_000,
  sendMs: 180_000,
  retryMinMs: 1_000,
  retryMaxMs: 60_000,
  loginRetryMs: 300_000,
};

/** @throws RuntimeError when the authority's file cannot be read. */
export async function transportOptions(config: MailConfig, timing: SmtpTiming): Promise<SMTPPoolOptions> {
  const secure = config.port === SECURE_PORT && config.tls !== "off";
  const auth = config.user === undefined ? undefined : { user: config.user, pass: config.password?.reveal() ?? "" };
  return {
    host: config.host,
    port: config.port,
    secure,
    requireTLS: config.tls === "required" && !secure,
    ignoreTLS: config.tls === "off",
    tls: {
      // Who takes no encryption at all gains nothing from refusing one whose certificate does not hold.
      rejectUnauthorized: config.tls !== "opportunistic",
      ...(config.ca === undefined ? {} : { ca: await readAuthority(config.ca) }),
    },
    ...(auth === undefined ? {} : { auth, forceAuth: true }),
    connectionTimeout: timing.connectMs,
    greetingTimeout: timing.connectMs,
    dnsTimeout: timing.connectMs,
    socketTimeout: timing.silenceMs,
    maxConnections: 3,
    // The outbox sends again; a pool that does so too only hides the outage.
    maxRequeues: 1,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new RuntimeError(`mail.ca ${path} cannot be read (${describeError(error)})`, { cause: error });
  }
}
