import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { line } from "../../../src/chat/reply.ts";
import { RuntimeError } from "../../../src/errors.ts";
import { ci, network, startBot } from "../../support/irc-bot.ts";
import { connectPerson } from "../../support/irc-client.ts";
import { startScripted, welcoming } from "../../support/irc-scripted.ts";
import { type Ngircd, startNgircd } from "../../support/ngircd.ts";
import { waitFor } from "../../support/wait-for.ts";

describe("on ngircd", () => {
  let server: Ngircd;
  beforeAll(async () => {
    server = await startNgircd();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("an answer in a channel is addressed on every line, in private on none, and a notice to nobody", async () => {
    await using bot = startBot(server);
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    const reply = { lines: [line("passed", ["hello #1 passed", "6 tests"], "https://ci/1"), line("info", ["more"])] };
    await bot.answer("ada", { ...reply, verbatim: ["\tok 1"] });
    await ada.hear(/PRIVMSG #ci :ada: ✔ hello #1 passed · 6 tests · https:\/\/ci\/1$/);
    await ada.hear(/PRIVMSG #ci :ada: more$/);
    await ada.hear(/PRIVMSG #ci : {3}ok 1$/);
    await bot.notice(reply);
    await ada.hear(/PRIVMSG #ci :✔ hello #1 passed/);
    await ada.hear(/PRIVMSG #ci : {2}more$/);
    await bot.answer("ada", reply, { network, kind: "direct", name: "ada" });
    await ada.hear(/PRIVMSG ada :✔ hello #1 passed/);
  });

  test("a notice names those who are there without ringing for them, an answer as they are", async () => {
    await using bot = startBot(server);
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    // Once the bot has heard her it has seen her come, too.
    ada.say("#ci", "hello");
    await bot.hear();
    const reply = { lines: [line("info", ["suspects: ada 3f2c9aa, adam 91bd0c1"])] };
    await bot.notice(reply);
    await ada.hear(/PRIVMSG #ci :suspects: a\u200dda 3f2c9aa, adam 91bd0c1$/);
    await bot.answer("ada", reply);
    await ada.hear(/PRIVMSG #ci :ada: suspects: ada 3f2c9aa, adam 91bd0c1$/);
  });

  test("line breaks and control codes in foreign text make no line of their own", async () => {
    await using bot = startBot(server);
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    await bot.answer("ada\r\nQUIT :bye", "title\r\nQUIT :\x02owned\x02\0\x0304\u202e");
    await ada.hear(/PRIVMSG #ci :ada QUIT :bye: title QUIT :owned$/);
    await bot.notice("still here");
    await ada.hear(/PRIVMSG #ci :still here$/);
    expect(bot.states.filter(({ kind }) => kind === "away")).toHaveLength(1);
  });

  test("what the server does not take is rejected with its reason", async () => {
    await using ada = await connectPerson(server, "ada");
    await ada.join("#quiet");
    ada.send("MODE #quiet +m");
    await ada.hear(/MODE #quiet \+m/);
    await using bot = startBot(server, { channels: [{ name: "#quiet" }] });
    await bot.inRooms("#quiet");
    const quiet = { network, kind: "channel", name: "#quiet" } as const;
    await expect(bot.notice("psst", quiet)).rejects.toThrow(/#quiet cannot be told: .*cannot send/i);
    const nobody = { network, kind: "direct", name: "nobody" } as const;
    await expect(bot.notice("psst", nobody)).rejects.toThrow(/nobody cannot be told: no such nick/i);
    await expect(bot.notice("psst", { ...nobody, name: "a,b" })).rejects.toThrow(RuntimeError);
    await expect(bot.notice("psst", { ...quiet, name: "#elsewhere" })).rejects.toThrow(/not one of the configured/);
  });

  test("a long text with a long link reaches a reader whole, in lines of 512 bytes at most", async () => {
    await using bot = startBot(server);
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    const words = Array.from({ length: 120 }, (_, index) => `größe🙂${index}`);
    const link = `https://ci.example.org/${"x".repeat(300)}`;
    await bot.answer("ada", { lines: [line("info", [words.join(" ")], link)] });
    await ada.hear(/xxx$/);
    const said = ada.lines.filter((text) => text.startsWith(":docker-ci!") && text.includes(" PRIVMSG "));
    for (const text of said) expect(Buffer.byteLength(`${text}\r\n`)).toBeLessThanOrEqual(512);
    const texts = said.map((text) => text.replace(/^\S+ PRIVMSG #ci :/, ""));
    expect(texts.slice(1).every((text) => text.startsWith("  "))).toBe(true);
    expect(texts.map((text) => text.trim().replace(/ ·$/, "")).join(" ")).toBe(`ada: ${words.join(" ")} ${link}`);
  });

  test("a channel in which colours are not allowed gets the same without, when it is sent again", async () => {
    await using scripted = await startScripted((text) => {
      if (!text.startsWith("PRIVMSG")) return welcoming("multi-prefix")(text);
      return text.includes("\x03") ? [":irc.test 404 docker-ci #ci :Can't send colors to channel (+c is set)"] : [];
    });
    await using bot = startBot(scripted, { colours: true });
    await bot.inRooms();
    const reply = { lines: [line("failed", ["hello #1 failed"])] };
    await expect(bot.notice(reply)).rejects.toThrow(/colors/);
    await bot.notice(reply);
    expect(scripted.lines).toContain("PRIVMSG #ci :\x0304✘\x0f hello #1 \x0304failed\x0f");
    expect(scripted.lines).toContain("PRIVMSG #ci :✘ hello #1 failed");
  });
});

describe("proof of delivery", () => {
  test("a line whose server dies before it has confirmed it is rejected, and so is all behind it", async () => {
    await using server = await startNgircd();
    await using bot = startBot(server, { pace: { burst: 1, perSecond: 0.1 } });
    await bot.inRooms();
    server.freeze();
    const sends = [bot.answer("ada", "written"), bot.answer("ada", "waiting"), bot.notice("waiting too")];
    const settled = Promise.allSettled(sends);
    await server.kill();
    for (const result of await settled) {
      expect(result).toMatchObject({ status: "rejected", reason: { name: "RuntimeError", retryable: true } });
    }
    await expect(bot.notice("now")).rejects.toThrow(/test is away/);
  });

  test("an echo proves a line, by its label where there is one", async () => {
    const said: string[] = [];
    await using server = await startScripted((text) => {
      const label = /^@label=(\S+) PRIVMSG (\S+) :(.*)$/.exec(text);
      if (label === null) return welcoming("echo-message labeled-response message-tags batch")(text);
      said.push(`@label=${label[1]} :docker-ci!u@h PRIVMSG ${label[2]} :${label[3]}`);
      return [];
    });
    await using bot = startBot(server);
    await bot.inRooms();
    const order: string[] = [];
    const both = [1, 2].map((n) => bot.notice("same").then(() => order.push(`line ${n}`)));
    await waitFor("both lines", () => said.length === 2);
    const [first = "", second = ""] = said;
    server.say(second, ":irc.test PONG irc.test something", first);
    await Promise.all(both);
    expect(order).toEqual(["line 2", "line 1"]);
    expect(server.lines.some((text) => text.startsWith("PING docker-ci-"))).toBe(false);
  });

  test("a line that the server swallows is rejected in the end", async () => {
    await using server = await startScripted((text) =>
      text.startsWith("PING") ? [] : welcoming("multi-prefix")(text),
    );
    await using bot = startBot(server, {}, { proofTimeoutMs: 50 });
    await bot.inRooms();
    await expect(bot.notice("hello?")).rejects.toThrow(/not confirmed/);
  });
});

describe("pace", () => {
  test("after the burst, answers overtake notices, and each kind keeps its order", async () => {
    await using server = await startNgircd();
    await using bot = startBot(server, { pace: { burst: 2, perSecond: 20 } });
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    const notices = ["n1", "n2", "n3", "n4"].map((text) => bot.notice(text));
    const answers = ["a1", "a2"].map((text) => bot.answer("ada", text));
    await Promise.all([...notices, ...answers]);
    await ada.hear(/:n4$/);
    const said = ada.lines.filter((text) => text.includes("PRIVMSG #ci")).map((text) => text.slice(-2));
    expect(said).toEqual(["n1", "n2", "a1", "a2", "n3", "n4"]);
  });

  test("no line leaves faster than the pace allows", async () => {
    await using server = await startScripted(welcoming("multi-prefix"));
    await using bot = startBot(server, { pace: { burst: 3, perSecond: 20 } });
    await bot.inRooms();
    const started = performance.now();
    await Promise.all(Array.from({ length: 9 }, () => bot.notice("x", ci)));
    expect(performance.now() - started).toBeGreaterThanOrEqual(290);
  });

  test("fifty lines at once reach a server that throttles, all of them and in order", async () => {
    await using server = await startNgircd({ throttle: true });
    await using bot = startBot(server);
    await bot.inRooms();
    await using ada = await connectPerson(server, "ada");
    await ada.join("#ci");
    const lines = Array.from({ length: 50 }, (_, index) => line("info", [`line ${index}`]));
    await bot.notice({ lines });
    await ada.hear(/line 49$/, 30_000);
    const said = ada.lines.filter((text) => text.includes("PRIVMSG #ci")).map((text) => Number(/\d+$/.exec(text)?.[0]));
    expect(said).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(bot.states.filter(({ kind }) => kind === "away")).toHaveLength(1);
  });
});
