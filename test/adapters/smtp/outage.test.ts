/** Mail servers that are away, refuse, or ask for patience: nothing is lost, nothing waits for ever, and the state says why. */
import { describe, expect, test } from "vitest";
import { connectMail } from "../../../adapters/smtp/index.ts";
import { SMTP_TIMING, transportOptions } from "../../../adapters/smtp/options.ts";
import type { Chat, ChatState } from "../../../src/chat/chat.ts";
import { type Reply, say } from "../../../src/chat/reply.ts";
import { type MailConfig, Secret } from "../../../src/config.ts";
import { RuntimeError } from "../../../src/errors.ts";
import { MAIL } from "../../../src/incidents/recipients.ts";
import { startOutbox } from "../../../src/queue/outbox.ts";
import { pushOutbox } from "../../../src/queue/push.ts";
import { type CapturedLog, capturedLog } from "../../support/captured-log.ts";
import { openRedis } from "../../support/redis.ts";
import { type SmtpTestServer, startSmtp } from "../../support/smtp-server.ts";
import { waitFor } from "../../support/wait-for.ts";

const QUICK = {
  ...SMTP_TIMING,
  connectMs: 2_000,
  silenceMs: 2_000,
  retryMinMs: 40,
  retryMaxMs: 200,
  loginRetryMs: 100,
};

function connect(
  server: SmtpTestServer,
  changes: Partial<MailConfig> = {},
  { log }: CapturedLog = capturedLog(),
): Chat {
  const config: MailConfig = {
    host: "127.0.0.1",
    port: server.port,
    tls: "required",
    ca: server.caFile,
    user: server.login.user,
    password: new Secret(server.login.password),
    from: "ci@example.org",
    to: ["ops@example.org"],
    on: ["broken"],
    ...changes,
  };
  return connectMail(config, { log, url: "https://ci.example.org", version: "1.0.0", timing: QUICK });
}

const room = (name = "ops@example.org") => ({ network: MAIL, kind: "direct" as const, name });
const news = (text: string, to?: string): Parameters<Chat["send"]>[0] => ({
  room: room(to),
  reply: say("failed", [text]) satisfies Reply,
  to: undefined,
  priority: "notice",
});

async function failureOf(sending: Promise<void>): Promise<RuntimeError> {
  const error: unknown = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof RuntimeError) return error;
  throw new Error(`no RuntimeError: ${String(error)}`);
}

async function turns(chat: Chat, kind: ChatState["kind"]): Promise<ChatState> {
  return waitFor(`mail ${kind}`, () => chat.state.kind === kind && chat.state, {
    seen: () => JSON.stringify(chat.state),
  });
}

async function awayReason(chat: Chat): Promise<string> {
  return waitFor(
    "a reason",
    () => chat.state.kind === "away" && chat.state.reason !== "connecting" && chat.state.reason,
  );
}

const subjects = (server: SmtpTestServer): (string | undefined)[] =>
  server.received.map(({ parsed }) => parsed.subject);

describe("a server that is away", () => {
  test("is told with its reason, once, tried again, and used as soon as it is back", async () => {
    await using server = await startSmtp();
    const captured = capturedLog();
    await using chat = connect(server, {}, captured);
    const states: string[] = [];
    chat.onState(({ kind }) => states.push(kind));
    await chat.send(news("one"));
    await server.stop();
    const error = await failureOf(chat.send(news("two")));
    expect([error.retryable, error.message]).toEqual([true, expect.stringContaining(`127.0.0.1:${server.port}`)]);
    const reason = await awayReason(chat);
    expect(reason).toMatch(/^127\.0\.0\.1:\d+ does not take mail now \(.+\)$/);
    await server.start();
    expect(await turns(chat, "connected")).toMatchObject({ rooms: ["ops@example.org"] });
    await chat.send(news("two"));
    expect(subjects(server)).toEqual(["[docker-ci] one", "[docker-ci] two"]);
    expect(states).toEqual(["connected", ...states.slice(1, -1).map(() => "away"), "connected"]);
    expect(captured.entries(40).length).toBeLessThanOrEqual(3);
  });

  test("holds nothing up at the start, and closing does not wait for it", async () => {
    await using server = await startSmtp();
    await server.stop();
    const chat = connect(server);
    expect((await failureOf(chat.send(news("one")))).message).toContain("ECONNREFUSED");
    const before = Date.now();
    await chat[Symbol.asyncDispose]();
    expect(Date.now() - before).toBeLessThan(500);
    expect((await failureOf(chat.send(news("two")))).retryable).toBe(true);
  });

  test("with the outbox nothing is lost: every mail comes once and in order when it is back", async () => {
    await using server = await startSmtp();
    await using redis = await openRedis();
    await using chat = connect(server);
    await turns(chat, "connected");
    await server.stop();
    const { commands, open } = redis.redis;
    await using outbox = startOutbox(commands, open, new Map([[MAIL, chat]]), redis.log);
    for (const text of ["one", "two", "three"]) {
      const { reply, priority } = news(text);
      const outgoing = { room: room(), reply, priority };
      await pushOutbox(commands, [{ id: text, at: new Date().toISOString(), outgoing }]);
    }
    await awayReason(chat);
    await server.start();
    await outbox.drained(MAIL, AbortSignal.timeout(15_000));
    expect(subjects(server)).toEqual(["[docker-ci] one", "[docker-ci] two", "[docker-ci] three"]);
  });

  test("one that took a mail and died before it said so gets the same mail again, by name", async () => {
    await using server = await startSmtp();
    await using chat = connect(server);
    server.swallowsAnswers = true;
    await failureOf(chat.send(news("one")));
    server.swallowsAnswers = false;
    await turns(chat, "connected");
    await chat.send(news("one"));
    expect(new Set(server.received.map(({ parsed }) => parsed.messageId)).size).toBe(1);
  });
});

describe("a server that refuses", () => {
  test("the password: told at the start, without the password, and right again once it is", async () => {
    await using server = await startSmtp();
    const captured = capturedLog();
    server.login.password = "changed";
    await using chat = connect(server, { password: new Secret("hunter2") }, captured);
    expect(await awayReason(chat)).toMatch(/refuses the login \(.*535 5\.7\.8 authentication failed\)$/);
    expect((await failureOf(chat.send(news("one")))).retryable).toBe(true);
    expect(JSON.stringify(captured.entries())).not.toContain("hunter2");
    server.login.password = "hunter2";
    await turns(chat, "connected");
    await chat.send(news("one"));
    expect(server.received.length).toBe(1);
  });

  test("a recipient for good: not worth another try, and no reason to be away", async () => {
    await using server = await startSmtp();
    server.answers.set("gone@example.org", 550);
    await using chat = connect(server);
    const error = await failureOf(chat.send(news("one", "gone@example.org")));
    expect([error.retryable, error.message]).toEqual([
      false,
      expect.stringMatching(/refuses mail for gone@example\.org \(550 5\.1\.1 no such user\)$/),
    ]);
    await chat.send(news("two"));
    expect([chat.state.kind, subjects(server)]).toEqual(["connected", ["[docker-ci] two"]]);
  });

  test("a recipient for now (greylisting): worth another try", async () => {
    await using server = await startSmtp();
    server.answers.set("ops@example.org", [451]);
    await using chat = connect(server);
    const error = await failureOf(chat.send(news("one")));
    expect([error.retryable, error.message]).toEqual([true, expect.stringContaining("later (451 4.7.1 greylisted)")]);
    expect(chat.state.kind).toBe("connected");
    await chat.send(news("one"));
    expect(server.received.length).toBe(1);
  });

  test("our sender: nothing is dropped, and the reason names the key", async () => {
    await using server = await startSmtp();
    server.senderAnswer = 553;
    await using chat = connect(server);
    const error = await failureOf(chat.send(news("one")));
    expect([error.retryable, error.message]).toEqual([
      true,
      expect.stringContaining("refuses the sender in mail.from (553"),
    ]);
    expect(chat.state.kind).toBe("away");
  });

  test("what is no address is never sent", async () => {
    await using server = await startSmtp();
    await using chat = connect(server);
    expect(await failureOf(chat.send(news("one", "#dev")))).toMatchObject({
      retryable: false,
      message: '"#dev" is no mail address',
    });
  });
});

describe("encryption", () => {
  test("a certificate of an unknown authority is not accepted", async () => {
    await using server = await startSmtp();
    await using chat = connect(server, { ca: undefined });
    expect(await awayReason(chat)).toMatch(/certificate/);
    expect(server.received).toEqual([]);
  });

  test("a server without STARTTLS gets no mail, unless the configuration says so", async () => {
    await using server = await startSmtp("plain");
    const plain = { user: undefined, password: undefined };
    await using strict = connect(server, plain);
    expect(await awayReason(strict)).toMatch(/mail\.tls/);
    for (const tls of ["off", "opportunistic"] as const) {
      await using chat = connect(server, { ...plain, tls, ca: undefined });
      await chat.send(news(tls));
    }
    expect(server.received.map(({ secure }) => secure)).toEqual([false, false]);
  });

  test("opportunistic takes what encryption there is", async () => {
    await using server = await startSmtp();
    await using chat = connect(server, { tls: "opportunistic", ca: undefined });
    await chat.send(news("one"));
    expect(server.received[0]?.secure).toBe(true);
  });

  test.each([
    [587, "required", { secure: false, requireTLS: true, ignoreTLS: false, tls: { rejectUnauthorized: true } }],
    [465, "required", { secure: true, requireTLS: false, tls: { rejectUnauthorized: true } }],
    [465, "opportunistic", { secure: true, requireTLS: false, tls: { rejectUnauthorized: false } }],
    [25, "off", { secure: false, requireTLS: false, ignoreTLS: true }],
  ] as const)("port %d with tls: %s", async (port, tls, expected) => {
    const config = {
      host: "h",
      port,
      tls,
      ca: undefined,
      user: undefined,
      password: undefined,
      from: "",
      to: [],
      on: [],
    };
    expect(await transportOptions(config, QUICK)).toMatchObject(expected);
  });

  test("an authority's file that is not there is named", async () => {
    await using server = await startSmtp();
    await using chat = connect(server, { ca: "/nowhere/ca.pem" });
    expect(await awayReason(chat)).toMatch(/^mail\.ca \/nowhere\/ca\.pem cannot be read/);
  });
});

test("the same words in two deliveries are two mails, and one delivery sent again is one", async () => {
  await using server = await startSmtp();
  await using chat = connect(server);
  for (const id of ["claim-1", "claim-2", "claim-2"]) await chat.send({ ...news("bob has it"), id });
  const [first, second, again] = server.received.map(({ parsed }) => parsed.messageId);
  expect([first === second, second === again]).toEqual([false, true]);
});

test("mails to one recipient arrive in the order in which they were sent", async () => {
  await using server = await startSmtp();
  await using chat = connect(server);
  const texts = Array.from({ length: 30 }, (_, index) => `mail ${index + 1}`);
  await Promise.all(texts.map((text) => chat.send(news(text))));
  expect(subjects(server)).toEqual(texts.map((text) => `[docker-ci] ${text}`));
});
