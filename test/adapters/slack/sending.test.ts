import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { line } from "../../../src/chat/reply.ts";
import { buttonsOf } from "../../support/slack-blocks.ts";
import { type SlackBot, startSlackBot } from "../../support/slack-bot.ts";
import { type Slack, startSlack } from "../../support/slack-server.ts";
import { waitFor } from "../../support/wait-for.ts";

let slack: Slack;
let bot: SlackBot;
beforeEach(async () => {
  slack = await startSlack();
  bot = startSlackBot(slack, { deps: { drawChart: async () => Buffer.from("PNG") } });
  await bot.connected();
});
afterEach(async () => {
  await bot[Symbol.asyncDispose]();
  await slack[Symbol.asyncDispose]();
});

const build = (number: number, word: string) => `build-${number}-${word}`;
const queued = { lines: [line("queued", ["hello #1 queued", "next in line"], "https://ci/1")], key: "build-1" };
const running = (step: number) => ({ lines: [line("running", [`hello #1 step ${step} of 9`])], key: "build-1" });
const passed = { lines: [line("passed", ["hello #1 passed in 3s", "6 tests"], "https://ci/1")], key: "build-1" };

describe("what people see", () => {
  test("a result: bold above, the rest beside a bar in its colour, links whole, buttons that say commands", async () => {
    await bot.send({
      lines: [
        line("failed", ["hello #1 failed", "main 3f2c9aa by bob"], "https://ci/1"),
        line("info", ["was good at #0"]),
      ],
      actions: [
        { label: "Log", link: "https://ci/1/log" },
        { label: "Cancel", command: "cancel 1", style: "danger" },
      ],
      verbatim: ["expected 201", "got ```500```"],
    });
    const [message] = slack.messages();
    expect(message?.shown.replaceAll("\u200b", "")).toBe(
      [
        "✘ *hello #1 failed*",
        "| main 3f2c9aa by bob · <https://ci/1>",
        "| was good at #0",
        "| ```",
        "| expected 201",
        "| got ```500```",
        "| ```",
        "| [Log] [Cancel]",
      ].join("\n"),
    );
    expect(message?.shown.match(/```/g)).toHaveLength(2);
    expect(message?.body.attachments[0]?.color).toBe("#e01e5a");
    const [log, cancel] = message === undefined ? [] : buttonsOf(message.body);
    expect(log).toMatchObject({ url: "https://ci/1/log" });
    expect(cancel).toMatchObject({ value: "cancel 1", style: "danger" });
    expect(message?.body.text).toContain("✘ hello #1 failed · main 3f2c9aa by bob");
  });

  test("what the first failing test said is quoted, on one line and as plain text, also where the message is edited", async () => {
    await bot.send(queued);
    const quote = "api_test.go:512: expected *201*,\n got 500 <!channel>";
    await bot.send({ lines: [line("failed", ["hello #1 failed"], "https://ci/1")], key: "build-1", quote });
    const shown = slack.messages()[0]?.shown.replaceAll("\u200b", "");
    expect(shown).toContain("| > api_test.go:512: expected ");
    expect(shown).toContain(", got 500 &lt;!channel&gt;");
  });

  test("an answer pings whom it answers by id; a notice pings nobody; alone with the bot nobody is addressed", async () => {
    slack.say("U1", "C1", "!status");
    await bot.hear();
    await bot.send("all well", { to: "ada", priority: "answer" });
    await bot.send("all well", { to: "ada", toAccount: "U2", priority: "answer" });
    await bot.send("all well", { to: "eve <!here>", priority: "answer" });
    await bot.send("all well");
    await bot.send("all well", { to: "ada", room: { network: bot.chat.network, kind: "direct", name: "D1" } });
    const eve = "eve &lt;!here&gt;: all well";
    expect(slack.shown()).toEqual(["<@U1> all well", "<@U2> all well", eve, "all well"]);
    expect(slack.shown("D1")).toEqual(["all well"]);
  });

  test.each([
    ["a mention of everybody", "fix <!channel> & <@U1>", "fix &lt;!channel&gt; &amp; &lt;@U1&gt;"],
    ["bold, italics, struck, code", "*a* _b_ ~c~ `d`", "\u200b*\u200ba\u200b*\u200b"],
    ["an underscore in a name", "snake_case_name", "snake_case_name"],
    ["an emoji by name", "done :tada: at 12:30:45", "done :\u200btada: at 12:30:45"],
    ["line breaks and control codes", "a\r\nb\u001b[31mc\u0000\u202ed", "a bcd"],
    ["a quote", "> quoted", "\u200b&gt; quoted"],
  ])("%s in a commit's title does nothing", async (_what, title, shown) => {
    await bot.send({ lines: [line("info", [title])] });
    expect(slack.shown()[0]).toContain(shown);
    expect(slack.messages()[0]?.body.text).not.toMatch(/<[!@]/);
  });

  test("whatever its length, a reply stays within what Slack takes", async () => {
    const huge = "&*🙂".repeat(5_000);
    await bot.send({
      lines: Array.from({ length: 60 }, () => line("failed", [huge, huge], `https://ci/${"x".repeat(900)}`)),
      verbatim: Array.from({ length: 5_000 }, (_, index) => `line ${index} ${huge.slice(0, 50)}`),
      actions: Array.from({ length: 40 }, (_, index) => ({
        label: huge,
        command: index === 0 ? "y".repeat(2_001) : `log ${index}`,
        style: "plain" as const,
      })),
    });
    expect(slack.shown()[0]).toContain("line 4999");
    expect(JSON.stringify(slack.messages()[0]?.body)).not.toMatch(/\\ud8/);
    await bot.send({ lines: [line("passed", [""])], verbatim: [""] });
    expect(slack.messages()).toHaveLength(2);
  });

  test("blocks that Slack does not take after all go out as text", async () => {
    slack.fault("chat.postMessage", { kind: "error", error: "invalid_blocks" });
    await bot.send({ lines: [line("passed", ["hello #1 passed"])] });
    expect(slack.shown()).toEqual(["✔ hello #1 passed"]);
  });

  test("a whisper is for one person's eyes, and in a thread what was asked there", async () => {
    await bot.send("hello #1 is over", { to: "bob", toAccount: "U2", whisper: true, priority: "answer" });
    expect(slack.workspace.ephemerals).toEqual([{ channel: "C1", user: "U2", shown: "hello #1 is over" }]);
    const ts = slack.say("U1", "C1", "!why 1");
    await bot.send("because", { thread: ts });
    expect(slack.shown()).toEqual([]);
    expect(slack.thread(ts).map(({ shown }) => shown)).toEqual(["because"]);
  });

  test("a chart is a picture in the thread, and one that cannot be shown spoils nothing", async () => {
    const chart = { title: "hello", unit: "ms" as const, points: [{ label: "#1", value: 3, tone: "passed" as const }] };
    await bot.send({ lines: [line("info", ["3s"])], chart });
    expect(slack.workspace.files).toMatchObject([{ bytes: 3, channel: "C1", thread: slack.messages()[0]?.ts }]);
    slack.fault("files.getUploadURLExternal", { kind: "error", error: "missing_scope" });
    await bot.send({ lines: [line("info", ["4s"])], chart });
    expect(slack.shown()).toEqual(["3s", "4s"]);
  });

  test("a slash command from a channel without the bot is answered on the way it came", async () => {
    slack.workspace.addChannel("C7", "private", false);
    slack.slash("U1", "C7", "status");
    const { room } = await bot.hear();
    await bot.send("all well", { room, to: "ada", priority: "answer" });
    expect(slack.responses).toMatchObject([{ response_type: "in_channel", text: "<@U1> all well" }]);
  });
});

describe("one message that is edited", () => {
  test("a build's end takes the place of its beginning; the rest, and the word to who asked, go to its thread", async () => {
    slack.say("U1", "C1", "!build hello");
    await bot.hear();
    await bot.send(queued, { to: "ada", priority: "answer" });
    const more = { lines: [...passed.lines, line("info", ["fixed by bob"])], key: "build-1", verbatim: ["ok 6"] };
    await bot.send(more, { to: "ada", priority: "answer" });
    expect(slack.shown()).toEqual(["✔ *hello #1 passed in 3s*\n| 6 tests · <https://ci/1>"]);
    const [thread] = slack.thread(slack.messages().find(({ user }) => user === "UBOT")?.ts);
    expect(thread?.shown).toMatch(/^<@U1> ✔ \*hello #1 passed in 3s\*\n[\s\S]*fixed by bob[\s\S]*ok 6/);
  });

  test("what stands in one place is edited with all of its lines; its end still reaches who asked", async () => {
    const plan = (votes: string) => ({
      lines: [line("queued", ["R7 docker 0.9.0 waits"]), line("info", [votes])],
      key: "release-7",
      inPlace: true,
    });
    await bot.send(plan("0 of 2"), { to: "ada", toAccount: "U1" });
    await bot.send(plan("1 of 2 (bob)"), { to: "ada", toAccount: "U1" });
    expect(slack.shown()).toEqual(["○ *R7 docker 0.9.0 waits*\n| 1 of 2 (bob)"]);
    const [message] = slack.messages();
    expect(slack.thread(message?.ts)).toEqual([]);
    const over = { lines: [line("cancelled", ["R7 docker 0.9.0 expired"]), line("info", ["1 of 2 (bob)"])] };
    await bot.send({ ...plan(""), ...over }, { to: "ada", toAccount: "U1" });
    expect(slack.shown()).toEqual(["■ *R7 docker 0.9.0 expired*\n| 1 of 2 (bob)"]);
    expect(slack.thread(message?.ts).map(({ shown }) => shown)).toEqual(["<@U1> ■ *R7 docker 0.9.0 expired*"]);
  });

  test("a message that somebody deleted is posted anew", async () => {
    await bot.send(queued);
    slack.workspace.channels.get("C1")?.all.splice(0);
    await bot.send(passed);
    expect(slack.shown()).toEqual(["✔ *hello #1 passed in 3s*\n| 6 tests · <https://ci/1>"]);
  });

  test("an answer that its build's end has overtaken does not undo it", async () => {
    await bot.send(passed);
    await bot.send(queued);
    bot.chat.progress?.({ network: bot.chat.network, kind: "channel", name: "C1" }, "build-1", running(3));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(slack.shown()).toEqual(["✔ *hello #1 passed in 3s*\n| 6 tests · <https://ci/1>"]);
  });

  test("of many states few go out, the last one wins, and none comes after the result", async () => {
    const room = { network: bot.chat.network, kind: "channel", name: "C1" } as const;
    await bot.send(queued);
    for (let step = 1; step <= 9; step += 1) {
      bot.chat.progress?.(room, "build-1", running(step));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    await waitFor("the last step", () => slack.shown()[0]?.includes("step 9"));
    expect(slack.callsOf("chat.update").length).toBeLessThanOrEqual(4);
    const gaps = slack.callsOf("chat.update").map(({ at }, index, all) => at - (all[index - 1]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(100);
    bot.chat.progress?.(room, "build-1", running(10));
    await bot.send(passed);
    bot.chat.progress?.(room, "build-1", running(11));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(slack.shown()[0]).toContain("passed");
  });

  test("progress of what nobody was told about, and what was taken back, is not shown", async () => {
    const room = { network: bot.chat.network, kind: "channel", name: "C1" } as const;
    bot.chat.progress?.(room, "build-7", running(1));
    await bot.send(queued);
    bot.chat.progress?.(room, "build-1", running(1));
    bot.chat.progress?.(room, "build-1", undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(slack.callsOf("chat.update")).toHaveLength(0);
  });

  test("a limit on edits holds progress back, and the result comes through after it", async () => {
    const room = { network: bot.chat.network, kind: "channel", name: "C1" } as const;
    await bot.send(queued);
    slack.fault("chat.update", { kind: "limited", seconds: 1 });
    bot.chat.progress?.(room, "build-1", running(1));
    await waitFor("an edit", () => slack.callsOf("chat.update").length === 1, { everyMs: 5 });
    const from = performance.now();
    await bot.send(passed);
    expect(performance.now() - from).toBeGreaterThan(800);
    expect(slack.shown()[0]).toContain("passed");
    expect(slack.callsOf("chat.update")).toHaveLength(2);
  });
});

describe("proof of delivery", () => {
  test("Retry-After is obeyed, and order kept", async () => {
    slack.fault("chat.postMessage", { kind: "limited", seconds: 1 });
    const from = performance.now();
    await Promise.all(["one", "two", "three"].map((text) => bot.send(text)));
    expect(performance.now() - from).toBeGreaterThan(900);
    expect(slack.shown()).toEqual(["one", "two", "three"]);
  });

  test("answers overtake notices that wait", async () => {
    slack.fault("chat.postMessage", { kind: "limited", seconds: 1 });
    const sends = [bot.send("n1"), bot.send("n2"), bot.send("a1", { priority: "answer" })];
    await Promise.all(sends);
    expect(slack.shown()).toEqual(["n1", "a1", "n2"]);
  });

  test.each([
    ["500s", { kind: "status", status: 500 }],
    ["garbage", { kind: "garbage", body: "<html>" }],
    ["an answer without a ts", { kind: "garbage", body: '{"ok":true}' }],
    ["an internal error", { kind: "error", error: "internal_error" }],
    ["silence", { kind: "hang" }],
  ] as const)("%s are sat out, and nothing is said twice", async (_what, fault) => {
    slack.fault("chat.postMessage", fault);
    await bot.send("hello");
    expect(slack.shown()).toEqual(["hello"]);
  });

  test("a post whose answer was lost is found in the history, not repeated", async () => {
    slack.fault("chat.postMessage", { kind: "lost" });
    await bot.send("hello");
    const ts = slack.say("U1", "C1", "!x");
    slack.fault("chat.postMessage", { kind: "lost" });
    await bot.send("in the thread", { thread: ts });
    expect(slack.shown()).toEqual(["hello"]);
    expect(slack.thread(ts)).toHaveLength(1);
  });

  test("a delivery that a killed process may have made is looked for first", async () => {
    const id = build(1, "passed");
    await bot.send("hello", { id });
    await bot.send("hello", { id });
    expect(slack.shown()).toEqual(["hello"]);
    expect(slack.callsOf("conversations.history")).toHaveLength(1);
    slack.fault("conversations.history", { kind: "error", error: "missing_scope" });
    await bot.send("hello", { id });
    expect(slack.shown()).toEqual(["hello", "hello"]);
  });

  test("a fault that stays rejects with its reason, for whoever wants to try again", async () => {
    slack.fault("chat.postMessage", { kind: "status", status: 500 }, 99);
    await expect(bot.send("hello")).rejects.toMatchObject({ name: "RuntimeError", retryable: true, message: /500/ });
    slack.faults.clear();
    await bot.send("hello");
  });

  test.each([
    ["a channel that is not there", "C9", /there is no channel work\/C9/],
    ["a channel without the bot", "C2", /not in work\/C2: \/invite @docker-ci/],
    ["an archived channel", "C3", /work\/C3 is archived/],
  ])("%s is a sentence", async (_what, name, reason) => {
    slack.workspace.addChannel("C2", "private", false);
    slack.workspace.addChannel("C3", "old").archived = true;
    await expect(bot.send("x", { room: { network: bot.chat.network, kind: "channel", name } })).rejects.toThrow(reason);
  });
});
