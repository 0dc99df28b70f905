/** What people in the workspace do: say, mention, command, press. */
import { randomUUID } from "node:crypto";
import { buttonsOf } from "./slack-blocks.ts";
import type { Sockets } from "./slack-sockets.ts";
import { BOT, type Message, type Workspace } from "./slack-workspace.ts";

export interface SayOptions {
  readonly thread?: string;
  /** How often each event is delivered, under the same event_id. */
  readonly times?: number;
  /** Fields to add to the event, or to put in place of others: `{ subtype: "bot_message" }`. */
  readonly event?: Readonly<Record<string, unknown>>;
}

export abstract class Said {
  readonly workspace: Workspace;
  readonly sockets: Sockets;

  constructor(workspace: Workspace, sockets: Sockets) {
    this.workspace = workspace;
    this.sockets = sockets;
  }

  /** Where response_urls begin. */
  protected abstract get base(): string;

  /** In Slack's markup, as a client sends it. @returns the message's ts. */
  say(user: string, channel: string, text: string, options: SayOptions = {}): string {
    const message = this.#add(user, channel, text, options.thread);
    this.#event("message", message, channel, options);
    return message.ts;
  }

  /** Says `@docker-ci text`, of which Slack makes two events. */
  mention(user: string, channel: string, text: string, options: SayOptions = {}): string {
    const message = this.#add(user, channel, `<@${BOT.user}> ${text}`, options.thread);
    this.#event("app_mention", message, channel, options);
    this.#event("message", message, channel, options);
    return message.ts;
  }

  /** `/ci text` */
  slash(user: string, channel: string, text: string): void {
    const name = channel.startsWith("D")
      ? "directmessage"
      : (this.workspace.channels.get(channel)?.name ?? "privategroup");
    this.sockets.deliver("slash_commands", {
      command: "/ci",
      text,
      user_id: user,
      user_name: this.workspace.users.get(user),
      channel_id: channel,
      channel_name: name,
      team_id: BOT.team,
      trigger_id: randomUUID(),
      response_url: `${this.base}/response/${randomUUID()}`,
    });
  }

  /** Presses the button with this label. @throws when the message has none. */
  press(user: string, channel: string, message: Message, label: string, times = 1): void {
    const button = buttonsOf(message.body).find(({ text }) => text.text === label);
    if (button === undefined) throw new Error(`no button ${label} in ${message.shown}`);
    const trigger_id = randomUUID();
    this.workspace.triggers.set(trigger_id, user);
    const payload = {
      type: "block_actions",
      user: { id: user, username: this.workspace.users.get(user), team_id: BOT.team },
      team: { id: BOT.team },
      channel: { id: channel, name: this.workspace.channels.get(channel)?.name },
      trigger_id,
      container: { type: "message_attachment", message_ts: message.ts, channel_id: channel },
      message: { ts: message.ts, ...(message.thread === undefined ? {} : { thread_ts: message.thread }) },
      actions: [
        { type: "button", action_id: button.action_id, block_id: "b1", text: button.text, value: button.value },
      ],
    };
    for (let time = 0; time < times; time += 1) this.sockets.deliver("interactive", payload);
  }

  /** Fills in the form that was opened last and sends it; null leaves the field as it is. @throws when there is none. */
  submit(answer: string | null, times = 1): void {
    const view = this.workspace.views.at(-1);
    const [field] = view?.blocks ?? [];
    if (view === undefined || field === undefined) throw new Error("no form was opened");
    const { block_id, element } = field;
    const payload = {
      type: "view_submission",
      user: { id: view.user, username: this.workspace.users.get(view.user), team_id: BOT.team },
      team: { id: BOT.team },
      trigger_id: randomUUID(),
      view: {
        id: view.id,
        type: "modal",
        callback_id: "",
        private_metadata: view.private_metadata,
        state: { values: { [block_id]: { [element.action_id]: { type: element.type, value: answer } } } },
      },
    };
    for (let time = 0; time < times; time += 1) this.sockets.deliver("interactive", payload);
  }

  #add(user: string, channel: string, text: string, thread: string | undefined): Message {
    const where = this.workspace.channels.get(channel);
    if (where === undefined) throw new Error(`no channel ${channel}`);
    return this.workspace.add(where, user, { text, blocks: [], attachments: [] }, thread, undefined);
  }

  #event(type: "message" | "app_mention", message: Message, channel: string, options: SayOptions): void {
    const { ts, user, body, thread } = message;
    const kind = type === "message" ? { channel_type: channel.startsWith("D") ? "im" : "channel" } : {};
    const payload = {
      type: "event_callback",
      event_id: `Ev${randomUUID()}`,
      team_id: BOT.team,
      api_app_id: "A1",
      event: {
        type,
        user,
        channel,
        text: body.text,
        ts,
        event_ts: ts,
        ...kind,
        ...(thread === undefined ? {} : { thread_ts: thread }),
        ...options.event,
      },
      authorizations: [{ team_id: BOT.team, user_id: BOT.user, is_bot: true }],
    };
    for (let time = 0; time < (options.times ?? 1); time += 1) this.sockets.deliver("events_api", payload, time);
  }
}
