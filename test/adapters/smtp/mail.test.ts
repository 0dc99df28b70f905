/** What a mail says: sent to a real SMTP server, parsed back, and compared with the reply it was made of. */
import { describe, expect, test } from "vitest";
import { connectMail } from "../../../adapters/smtp/index.ts";
import { line, type Reply } from "../../../src/chat/reply.ts";
import { type MailConfig, Secret } from "../../../src/config.ts";
import { MAIL } from "../../../src/incidents/recipients.ts";
import { capturedLog } from "../../support/captured-log.ts";
import { type ReceivedMail, type SmtpTestServer, startSmtp } from "../../support/smtp-server.ts";

const URL_OF_CI = "https://ci.example.org";

function configOf(server: SmtpTestServer): MailConfig {
  return {
    host: "127.0.0.1",
    port: server.port,
    tls: "required",
    ca: server.caFile,
    user: server.login.user,
    password: new Secret(server.login.password),
    from: "docker-ci <ci@example.org>",
    to: ["ops@example.org"],
    on: ["broken", "fixed", "errored"],
  };
}

/** What arrives when these replies are mailed, one after the other. */
async function mailed(
  replies: readonly Reply[],
  to = "ops@example.org",
  url = URL_OF_CI,
): Promise<readonly ReceivedMail[]> {
  await using server = await startSmtp();
  await using chat = connectMail(configOf(server), { log: capturedLog().log, url, version: "1.0.0" });
  for (const reply of replies) {
    await chat.send({ room: { network: MAIL, kind: "direct", name: to }, reply, to: undefined, priority: "notice" });
  }
  return server.received;
}

async function mailedOnce(reply: Reply): Promise<ReceivedMail> {
  const [mail] = await mailed([reply]);
  if (mail === undefined) throw new Error("no mail came");
  return mail;
}

const FAILED: Reply = {
  lines: [
    line(
      "failed",
      ["docker-registry #43 failed in 1m12s", "main 3f2c9aa by bob", "2 of 1,204 tests: TestBlobUpload, TestCatalog"],
      `${URL_OF_CI}/builds/43`,
    ),
    line("info", ["was good at #42", 'suspects: bob 3f2c9aa "storage: retry on 503"']),
  ],
  verbatim: ["=== RUN   TestBlobUpload", "    api_test.go:512: expected 201, got 500"],
  key: "build-43",
  topic: "incident-docker-registry-main",
  actions: [
    { label: "Log", link: `${URL_OF_CI}/builds/43/log` },
    { label: "Rebuild", command: "rebuild 43", style: "plain" },
  ],
};

describe("a failure", () => {
  // O-75
  test("arrives encrypted and logged in, with subject, text and HTML of the same facts", async () => {
    const { parsed, secure, user, from, to } = await mailedOnce(FAILED);
    expect({ secure, user, from, to }).toEqual({
      secure: true,
      user: "ci",
      from: "ci@example.org",
      to: ["ops@example.org"],
    });
    expect(parsed.subject).toBe("[docker-ci] docker-registry #43 failed: TestBlobUpload, TestCatalog");
    expect(parsed.from?.text).toBe('"docker-ci" <ci@example.org>');
    expect(
      parsed.text,
    ).toBe(`✘ docker-registry #43 failed in 1m12s · main 3f2c9aa by bob · 2 of 1,204 tests: TestBlobUpload, TestCatalog
https://ci.example.org/builds/43

was good at #42 · suspects: bob 3f2c9aa "storage: retry on 503"

=== RUN   TestBlobUpload
    api_test.go:512: expected 201, got 500

Log: https://ci.example.org/builds/43/log
`);
    const html = parsed.html === false ? "" : (parsed.html ?? "");
    for (const fact of FAILED.lines.flatMap(({ facts }) => facts))
      expect(html).toContain(fact.replaceAll('"', "&quot;"));
    expect(html).toContain('<a href="https://ci.example.org/builds/43">https://ci.example.org/builds/43</a>');
    expect(html).toContain('<a href="https://ci.example.org/builds/43/log">Log</a>');
    expect(html).toMatch(/<pre [^>]*>=== RUN {3}TestBlobUpload\n {4}api_test\.go:512: expected 201, got 500<\/pre>/);
    expect(html).not.toContain("rebuild 43");
  });

  // O-75: List-Id
  test("is told from people's mail by programs", async () => {
    const { parsed, raw } = await mailedOnce(FAILED);
    expect(raw).toMatch(/^List-I[dD]: docker-ci <docker-ci\.ci\.example\.org>\r$/m);
    expect(parsed.headers.get("auto-submitted")).toBe("auto-generated");
    expect(parsed.headers.get("x-mailer")).toBe("docker-ci 1.0.0");
  });
});

// O-75: headers of threads
describe("threads", () => {
  test("mails of one topic stand in one, whichever came first; a mail sent again is the same mail", async () => {
    const fixed = { ...FAILED, lines: [line("passed", ["docker-registry fixed by #45 in 2m51s"])] };
    const other = { ...FAILED, topic: "incident-docker-main" };
    const [first, again, second, third] = (await mailed([FAILED, FAILED, fixed, other])).map(({ parsed }) => parsed);
    const root = "<incident-docker-registry-main@ci.example.org>";
    expect([first?.references, first?.inReplyTo, second?.references, second?.inReplyTo]).toEqual([
      root,
      root,
      root,
      root,
    ]);
    expect(third?.references).toBe("<incident-docker-main@ci.example.org>");
    expect(again?.messageId).toBe(first?.messageId);
    expect(first?.messageId).toMatch(/^<[0-9a-f]{32}@ci\.example\.org>$/);
    expect(new Set([first, second, third].map((mail) => mail?.messageId)).size).toBe(3);
    expect(second?.subject).toBe("[docker-ci] docker-registry fixed by #45");
  });

  test.each([
    ["what is no name", "a b>\r\nBcc: c@d", URL_OF_CI, /^<a-b-Bcc-c-d-[0-9a-f]{8}@ci\.example\.org>$/],
    ["an address for a host", "build-43", "http://[::1]:8000", /^<build-43@1>$/],
    ["a host without a domain", "build-43", "http://localhost:8000", /^<build-43@localhost>$/],
  ])("have a valid name made of %s", async (_what, topic, url, expected) => {
    const [mail] = await mailed([{ ...FAILED, topic }], undefined, url);
    expect(mail?.parsed.references).toMatch(expected);
    expect(mail?.parsed.headers.has("bcc")).toBe(false);
  });
});

describe("text from outside", () => {
  const EVIL = 'x\r\nBcc: evil@example.org\r\n\r\n<script>alert("1")</script>\u001b[31m\u202e\u0000';

  test("adds no header, no recipient, no markup and no control character", async () => {
    const { parsed, raw, to } = await mailedOnce({
      lines: [line("failed", [`hello #1 failed ${EVIL}`, "main", EVIL], `${URL_OF_CI}/?"><b>`)],
      verbatim: [EVIL, "</pre><b>"],
      actions: [{ label: EVIL, link: "javascript:alert(1)" }],
    });
    expect(to).toEqual(["ops@example.org"]);
    expect([parsed.headers.has("bcc"), parsed.bcc]).toEqual([false, undefined]);
    expect(parsed.subject).toMatch(/^\[docker-ci\] hello #1 failed x Bcc: evil@example\.org <script>/);
    expect(raw.split("\r\n\r\n")[0]).not.toMatch(/^Bcc:/im);
    const html = parsed.html === false ? "" : (parsed.html ?? "");
    expect(html).not.toMatch(/<script|<b>|href="javascript|"><b/);
    expect(html).toContain("&lt;/pre&gt;&lt;b&gt;");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(`${parsed.subject}${parsed.text}${html}`).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/);
  });

  test.each([
    ["40,000 characters", "y".repeat(40_000)],
    ["emoji only", "🙂".repeat(300)],
    ["half a character", "\ud83d broken"],
  ])("of %s arrives, under a subject of a sensible length", async (_what, text) => {
    const { parsed, raw } = await mailedOnce({ lines: [line("errored", [text, text])] });
    expect([...(parsed.subject ?? "")].length).toBeLessThanOrEqual(120);
    expect(parsed.text?.length).toBeGreaterThan(10);
    for (const header of raw.split("\r\n\r\n")[0]?.split("\r\n") ?? []) expect(header.length).toBeLessThanOrEqual(998);
  });
});

test("a recipient with a name gets it once, and a name with a comma is no second recipient", async () => {
  const [mail] = await mailed([FAILED], "Ops, the <ops@example.org>");
  expect([mail?.to, mail?.parsed.to]).toMatchObject([
    ["ops@example.org"],
    { value: [{ name: "Ops, the", address: "ops@example.org" }] },
  ]);
});
