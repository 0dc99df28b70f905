/** What Slack sends, as far as it is read here. What does not fit is not for us. */
import { z } from "zod";

/** docs.slack.dev/reference/events/message: one without a subtype is what a person typed. */
export const MessageEvent = z.object({
  event_id: z.string().optional(),
  event: z.object({
    type: z.enum(["message", "app_mention"]),
    subtype: z.undefined().optional(),
    channel: z.string(),
    channel_type: z.string().optional(),
    user: z.string(),
    text: z.string(),
    ts: z.string(),
    thread_ts: z.string().optional(),
    bot_id: z.undefined().optional(),
    hidden: z.literal(false).optional(),
  }),
});

export const SlashCommand = z.object({
  text: z.string().default(""),
  user_id: z.string(),
  channel_id: z.string(),
  channel_name: z.string().optional(),
  trigger_id: z.string(),
  response_url: z.url().optional(),
});

/** docs.slack.dev/reference/interaction-payloads/block_actions-payload; a button with an address has no value. */
export const PressedButton = z.object({
  type: z.literal("block_actions"),
  user: z.object({ id: z.string() }),
  channel: z.object({ id: z.string() }),
  trigger_id: z.string(),
  actions: z.array(z.object({ action_id: z.string().default(""), value: z.string().optional() })).min(1),
  container: z.object({ message_ts: z.string(), thread_ts: z.string().optional() }),
  message: z.object({ thread_ts: z.string().optional() }).optional(),
});

/** A frame of the socket that Bolt can be given: it falls over those that are less than this. */
export const Frame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello") }),
  z.object({ type: z.literal("disconnect"), reason: z.string().optional() }),
  z.object({
    type: z.literal("events_api"),
    envelope_id: z.string(),
    payload: z.object({ event: z.object({ type: z.string() }) }),
  }),
  z.object({ type: z.literal("slash_commands"), envelope_id: z.string(), payload: z.object({ command: z.string() }) }),
  z.object({ type: z.literal("interactive"), envelope_id: z.string(), payload: z.object({ type: z.string() }) }),
]);
