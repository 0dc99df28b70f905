/** What every chat does (src/chat/chat.ts), whatever its network. Run once for each adapter. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Chat, Outgoing } from "../../src/chat/chat.ts";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import { line, say } from "../../src/chat/reply.ts";
import { waitFor } from "../support/wait-for.ts";

/** A network of its own with the chat under test, connected, and somebody who reads and speaks in a room. */
export interface ChatCorner extends AsyncDisposable {
  readonly chat: Chat;
  readonly room: Room;
  /** What was said in the room, a text for each line, as far as the reader has it. */
  said(): readonly string[];
  /** Says a line where the chat hears it. */
  speak(text: string): void;
  /** What the network can be made to do. */
  readonly outage?: {
    /** It stops in its tracks with its connections open, and goes on. */
    freeze(): void;
    thaw(): void;
    /** It is gone, and comes back. */
    kill(): Promise<void>;
    start(): Promise<void>;
  };
}

const NOTHING_WRONG = 20_000;

/** @param always why the network can never be away, where that is so: what tests an outage is left out. */
export function chatContract(name: string, open: () => Promise<ChatCorner>, always?: string): void {
  const notice = (corner: ChatCorner, text: string): Promise<void> =>
    corner.chat.send({ room: corner.room, to: undefined, priority: "notice", reply: say("info", [text]) });
  const has = (corner: ChatCorner, text: string): Promise<unknown> =>
    waitFor(`"${text}" in the room`, () => corner.said().some((each) => each.includes(text)), {
      seen: () => corner.said().slice(-10).join("\n"),
    });

  describe(`${name} as a chat`, () => {
    it("delivers what was sent to a room in the order of the calls", async () => {
      await using corner = await open();
      const texts = Array.from({ length: 12 }, (_, index) => `notice ${index}.`);
      await Promise.all(texts.map((text) => notice(corner, text)));
      await has(corner, "notice 11.");
      const arrived = corner.said().flatMap((text) => /notice \d+\./.exec(text) ?? []);
      expect(arrived).toEqual(texts);
    });

    it("delivers an answer with its lines, its link and what is verbatim", async () => {
      await using corner = await open();
      const outgoing: Outgoing = {
        room: corner.room,
        to: "ada",
        priority: "answer",
        reply: {
          lines: [
            line("passed", ["hello #1 passed", "6 tests"], "https://ci.example.org/builds/1"),
            line("info", ["more"]),
          ],
          verbatim: ["ok 1"],
        },
      };
      await corner.chat.send(outgoing);
      await has(corner, "ok 1");
      const whole = corner.said().join("\n");
      for (const part of ["✔", "hello #1 passed", "6 tests", "https://ci.example.org/builds/1", "more"]) {
        expect(whole).toContain(part);
      }
    });

    it("makes control codes in foreign text harmless", async () => {
      await using corner = await open();
      await notice(corner, "title\r\nQUIT \u001b[31mred\u0000 \u202eend");
      await has(corner, "end");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
      expect(corner.said().join("")).not.toMatch(/[\u0000\u001b\r\u202e]/);
    });

    it("tells its listeners what it heard, in the order of arrival, until they stop", async () => {
      await using corner = await open();
      const first: ChatMessage[] = [];
      const second: ChatMessage[] = [];
      const stop = corner.chat.onMessage((message) => first.push(message));
      corner.chat.onMessage((message) => second.push(message));
      for (let count = 0; count < 5; count += 1) corner.speak(`line ${count}`);
      await waitFor("five lines", () => second.length === 5);
      expect(second.map(({ text }) => text)).toEqual(["line 0", "line 1", "line 2", "line 3", "line 4"]);
      expect(first).toEqual(second);
      expect(new Set(second.map(({ id }) => id)).size).toBe(5);
      for (const { room, speaker, botName } of second) {
        expect(room).toEqual(corner.room);
        expect(speaker.network).toBe(corner.chat.network);
        expect([speaker.displayName, botName]).not.toContain("");
      }
      stop();
      corner.speak("line 5");
      await waitFor("a sixth line", () => second.length === 6);
      expect(first).toHaveLength(5);
    });

    it("is deaf once it was disposed of", async () => {
      await using corner = await open();
      const heard: ChatMessage[] = [];
      corner.chat.onMessage((message) => heard.push(message));
      await corner.chat[Symbol.asyncDispose]();
      corner.speak("too late");
      await sleep(100);
      expect(heard).toEqual([]);
      if (corner.outage !== undefined) {
        expect(corner.chat.state).toMatchObject({ kind: "away" });
        await expect(notice(corner, "too late")).rejects.toMatchObject({ name: "RuntimeError" });
      }
    });

    if (always !== undefined) return;

    it("resolves only when the network has taken it", async () => {
      await using corner = await open();
      assert(corner.outage !== undefined);
      corner.outage.freeze();
      let settled = false;
      const sent = notice(corner, "held back").finally(() => {
        settled = true;
      });
      await sleep(200);
      expect(settled).toBe(false);
      corner.outage.thaw();
      await sent;
      await has(corner, "held back");
    });

    it(
      "rejects while it is away, says why, and delivers again by itself when the network is back",
      async () => {
        await using corner = await open();
        assert(corner.outage !== undefined);
        const states: string[] = [];
        corner.chat.onState(({ kind }) => states.push(kind));
        corner.outage.freeze();
        const waiting = [notice(corner, "lost 1"), notice(corner, "lost 2")];
        const settled = Promise.allSettled(waiting);
        await corner.outage.kill();
        corner.outage.thaw();
        for (const result of await settled) {
          expect(result).toMatchObject({ status: "rejected", reason: { name: "RuntimeError", retryable: true } });
        }
        await waitFor("the outage", () => corner.chat.state.kind === "away", { everyMs: 5 });
        await expect(notice(corner, "lost 3")).rejects.toThrow(/away/);
        // Whoever hears that it is in its room can talk there from that moment on; without a room it is only connected.
        const back = new Promise<void>((resolve, reject) => {
          corner.chat.onState(() => {
            if (inRoom(corner)) notice(corner, "back").then(resolve, reject);
          });
        });
        await corner.outage.start();
        await back;
        expect(states.at(0)).toBe("away");
        expect(states).toContain("connected");
      },
      NOTHING_WRONG,
    );
  });
}

function inRoom({ chat, room }: ChatCorner): boolean {
  return chat.state.kind === "connected" && chat.state.rooms.includes(room.name);
}
