/**
 * A button that asks for a line of text before it says its command: pressed, it opens a form in the person's own window, and what
 * they send there is heard as if they had typed it. Nothing is kept meanwhile: the form itself brings back what it was for.
 */
import type { Logger } from "pino";
import { z } from "zod";
import type { Action } from "../../src/chat/reply.ts";
import { describeError } from "../../src/errors.ts";
import type { SlackApi } from "./api.ts";
import { entities, fitted, plain } from "./text.ts";

type Asking = Extract<Action, { command: string }>;

/** docs.slack.dev/reference/views: what a title, a label and a button's text may have. */
const LIMIT = { title: 24, submit: 24, label: 2000, answer: 500 } as const;
/** What stands in a button that asks, where others have their command. */
export const ASKS = "ask-";
const FIELD = "text";
const Anything = z.looseObject({});

const Asked = z.strictObject({ command: z.string(), title: z.string(), label: z.string(), submit: z.string() });
const Purpose = z.strictObject({ command: z.string(), channel: z.string(), thread: z.string() });

/** docs.slack.dev/reference/interaction-payloads/view-interactions-payload */
const Submission = z.object({
  type: z.literal("view_submission"),
  user: z.object({ id: z.string() }),
  view: z.object({
    id: z.string(),
    private_metadata: z.string(),
    state: z.object({
      values: z.object({ [FIELD]: z.object({ [FIELD]: z.object({ value: z.string().nullish() }) }) }),
    }),
  }),
});

export interface PressedToAsk {
  readonly value: string;
  readonly triggerId: string;
  readonly user: string;
  readonly channel: string;
  /** Where the answer goes. */
  readonly thread: string;
}

/** The value of a button that asks; undefined for one that says its command at once. */
export function askingValue({ command, ask }: Asking): string | undefined {
  return ask === undefined ? undefined : JSON.stringify({ command, ...ask } satisfies z.infer<typeof Asked>);
}

/** Shows the form. Slack takes a trigger for three seconds, so it is tried once. Never rejects. */
export async function openQuestion(api: SlackApi, pressed: PressedToAsk, log: Logger): Promise<void> {
  const { triggerId, user, channel, thread } = pressed;
  try {
    const { command, title, label, submit } = Asked.parse(JSON.parse(pressed.value));
    const text = (given: string, max: number) => ({ type: "plain_text", text: fitted(given, max, plain) || "…" });
    const view = {
      type: "modal",
      private_metadata: JSON.stringify({ command, channel, thread } satisfies z.infer<typeof Purpose>),
      title: text(title, LIMIT.title),
      submit: text(submit, LIMIT.submit),
      close: text("Cancel", LIMIT.submit),
      blocks: [
        {
          type: "input",
          block_id: FIELD,
          optional: true,
          label: text(label, LIMIT.label),
          element: { type: "plain_text_input", action_id: FIELD, max_length: LIMIT.answer },
        },
      ],
    };
    await api.call("views.open", { trigger_id: triggerId, view }, Anything, "once", 1);
  } catch (error) {
    log.warn({ channel, reason: describeError(error) }, "a form could not be opened");
    const args = { channel, user, thread_ts: thread, text: "That took too long for Slack; press the button again." };
    await api.call("chat.postEphemeral", args, Anything, "once", 1).catch((again: unknown) => {
      log.debug({ channel, reason: describeError(again) }, "and nobody could be told");
    });
  }
}

/** What was sent with a form, as the words that it stands for, in Slack's markup; undefined for a form of somebody else's. */
export function readAnswer(body: unknown) {
  const parsed = Submission.safeParse(body).data;
  if (parsed === undefined) return undefined;
  const { user, view } = parsed;
  const purpose = Purpose.safeParse(json(view.private_metadata)).data;
  if (purpose === undefined) return undefined;
  const answer = (view.state.values[FIELD][FIELD].value ?? "").replace(/\s+/g, " ").trim().slice(0, LIMIT.answer);
  const { command, channel, thread } = purpose;
  return { id: view.id, user: user.id, channel, thread, text: `${command} ${entities(answer)}`.trim() };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not ours, then.
    return undefined;
  }
}
