/** A real SMTP server that keeps what it is sent, with STARTTLS under a private authority, login, and failures to stage. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { freePort } from "./irc-server.ts";
import { makeCertificate } from "./irc-tls.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { waitFor } from "./wait-for.ts";

export interface ReceivedMail {
  readonly parsed: ParsedMail;
  /** As it came over the wire. */
  readonly raw: string;
  readonly from: string;
  readonly to: readonly string[];
  /** Who had logged in. */
  readonly user: string | undefined;
  readonly secure: boolean;
}

export interface SmtpTestServer extends AsyncDisposable {
  readonly port: number;
  /** Path of the authority's certificate. */
  readonly caFile: string;
  readonly received: readonly ReceivedMail[];
  /** Answers to RCPT, by recipient; a number is given every time, a list once each and then 250. */
  readonly answers: Map<string, number | number[]>;
  /** The only login that is taken. */
  readonly login: { user: string; password: string };
  /** The answer to MAIL FROM when not 250. */
  senderAnswer: number | undefined;
  /** Takes mails, and closes the connection in place of saying so. */
  swallowsAnswers: boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Waits until that many mails came. */
  gets(count: number): Promise<readonly ReceivedMail[]>;
}

/** @param how `starttls` wants encryption and the login; `plain` knows neither. */
export async function startSmtp(how: "starttls" | "plain" = "starttls"): Promise<SmtpTestServer> {
  const folder = await temporaryFolder();
  const { certFile, keyFile } = await makeCertificate(folder.path);
  const port = await freePort();
  const received: ReceivedMail[] = [];
  const login = { user: "ci", password: "s3cret" };
  const answers = new Map<string, number | number[]>();
  let server: SMTPServer | undefined;

  const say = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code });
  const options: SMTPServerOptions = {
    logger: false,
    key: await readFile(keyFile),
    cert: await readFile(certFile),
    ...(how === "plain"
      ? { disabledCommands: ["STARTTLS", "AUTH"], authOptional: true }
      : { authMethods: ["PLAIN", "LOGIN"] }),
    onAuth: ({ username, password }, _session, done) =>
      username === login.user && password === login.password
        ? done(null, { user: username })
        : done(say(535, "5.7.8 authentication failed")),
    onMailFrom: (_address, _session, done) =>
      control.senderAnswer === undefined ? done() : done(say(control.senderAnswer, "5.7.1 sender not yours")),
    onRcptTo({ address }, _session, done) {
      const answer = answers.get(address);
      const code = Array.isArray(answer) ? answer.shift() : answer;
      done(code === undefined ? null : say(code, code < 500 ? "4.7.1 greylisted" : "5.1.1 no such user"));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks);
        const { envelope, user, secure } = session;
        simpleParser(raw).then(
          (parsed) => {
            received.push({
              parsed,
              raw: raw.toString(),
              from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
              to: envelope.rcptTo.map(({ address }) => address),
              user: typeof user === "string" ? user : undefined,
              secure,
            });
            if (control.swallowsAnswers) for (const connection of server?.connections ?? []) connection.close();
            else done();
          },
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      });
    },
  };

  const control: SmtpTestServer = {
    port,
    caFile: join(folder.path, "ca.pem"),
    received,
    answers,
    login,
    senderAnswer: undefined,
    swallowsAnswers: false,
    async start() {
      const fresh = new SMTPServer(options);
      fresh.on("error", () => {
        // A connection that its client broke off.
      });
      await new Promise<void>((resolve) => fresh.listen(port, "127.0.0.1", resolve));
      server = fresh;
    },
    async stop() {
      const old = server;
      server = undefined;
      if (old === undefined) return;
      const closed = new Promise<void>((resolve) => old.close(() => resolve()));
      for (const connection of old.connections) connection.close();
      await closed;
    },
    async gets(count) {
      await waitFor(`${count} mails`, () => received.length >= count, { seen: () => received.length });
      return received;
    },
    async [Symbol.asyncDispose]() {
      await control.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
  await control.start();
  return control;
}
