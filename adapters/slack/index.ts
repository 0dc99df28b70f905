/**
 * Slack, over Socket Mode by Bolt. Bolt reads the events; staying connected, proof of delivery and obeying limits are ours, for
 * its own reconnecting ends in unhandled rejections and cannot be stopped. Nothing of it is loaded before a workspace connects.
 */
import type { Chat } from "../../src/chat/chat.ts";
import type { SlackDeps, SlackOptions } from "./options.ts";
import { DEFAULT_TIMING } from "./options.ts";
import { SlackChat } from "./slack-chat.ts";

export { fromConfig } from "./from-config.ts";
export { createSlackJournal, type LeftOver, type SlackJournal } from "./journal.ts";
export { createSlackMemory, Posted, type SlackMemory } from "./memory.ts";
export type { SlackDeps, SlackOptions, SlackTiming } from "./options.ts";
export { probeSlack } from "./probe.ts";

/** Begins to connect and returns at once; `state` and `onState` tell how it goes. Never throws. */
export function connectSlack(options: SlackOptions, deps: SlackDeps): Chat {
  const chat = new SlackChat(options, {
    memory: deps.memory,
    journal: deps.journal,
    random: deps.random ?? Math.random,
    drawChart: deps.drawChart,
    timing: { ...DEFAULT_TIMING, ...deps.timing },
    log: deps.log.child({ network: options.name }),
  });
  chat.open();
  return chat;
}
