/** The Web API's methods, as Slack answers them. */
import { parseBody, shownText, View } from "./slack-blocks.ts";
import { BOT, type Channel, type Workspace } from "./slack-workspace.ts";

export type Args = Readonly<Record<string, string>>;
export type Answer = Readonly<Record<string, unknown>>;

const no = (error: string): Answer => ({ ok: false, error });

/** @param base where the server listens, for addresses in answers. */
export function answer(workspace: Workspace, method: string, args: Args, base: string): Answer {
  switch (method) {
    case "auth.test":
      return {
        ok: true,
        user_id: BOT.user,
        user: BOT.name,
        bot_id: BOT.bot,
        team: "Test",
        team_id: BOT.team,
        url: base,
      };
    case "chat.postMessage":
      return withChannel(workspace, args, (channel) => post(workspace, channel, args));
    case "chat.update":
      return withChannel(workspace, args, (channel) => update(workspace, channel, args));
    case "chat.postEphemeral":
      return withChannel(workspace, args, (channel) => ephemeral(workspace, channel, args));
    case "users.conversations":
      return { ok: true, channels: memberships(workspace) };
    case "conversations.history":
    case "conversations.replies":
      return withChannel(workspace, args, (channel) => history(channel, args));
    case "users.info": {
      const name = workspace.users.get(args.user ?? "");
      if (name === undefined) return no("user_not_found");
      return { ok: true, user: { id: args.user, name, profile: { display_name: name, real_name: `${name} L.` } } };
    }
    case "files.getUploadURLExternal": {
      const id = `F${workspace.files.length + 1}`;
      workspace.files.push({ id, filename: args.filename ?? "", bytes: 0, channel: undefined, thread: undefined });
      return { ok: true, upload_url: `${base}/upload/${id}`, file_id: id };
    }
    case "files.completeUploadExternal": {
      const wanted: { id: string }[] = JSON.parse(args.files ?? "[]");
      for (const file of workspace.files) {
        if (!wanted.some(({ id }) => id === file.id)) continue;
        file.channel = args.channel_id;
        file.thread = args.thread_ts;
      }
      return { ok: true, files: wanted };
    }
    case "views.open":
      return openView(workspace, args);
    default:
      return no("unknown_method");
  }
}

/** docs.slack.dev/reference/methods/views.open; a trigger is good once. */
function openView(workspace: Workspace, args: Args): Answer {
  const user = workspace.triggers.get(args.trigger_id ?? "");
  if (user === undefined) return no("expired_trigger_id");
  workspace.triggers.delete(args.trigger_id ?? "");
  const view = View.safeParse(JSON.parse(args.view ?? "null"));
  if (!view.success) return no("invalid_arguments");
  const id = `V${workspace.views.length + 1}`;
  workspace.views.push({ id, user, ...view.data });
  return { ok: true, view: { id } };
}

function withChannel(workspace: Workspace, args: Args, use: (channel: Channel) => Answer): Answer {
  const id = args.channel ?? "";
  const channel = workspace.channels.get(id.startsWith("U") ? workspace.direct(id) : id);
  if (channel === undefined) return no("channel_not_found");
  if (channel.archived) return no("is_archived");
  if (!channel.botIsMember) return no("not_in_channel");
  return use(channel);
}

function post(workspace: Workspace, channel: Channel, args: Args): Answer {
  const body = parseBody(args);
  if (typeof body === "string") return no(body);
  const metadata: unknown = args.metadata === undefined ? undefined : JSON.parse(args.metadata);
  const message = workspace.add(channel, BOT.user, body, args.thread_ts, metadata);
  return { ok: true, channel: channel.id, ts: message.ts, message: { text: body.text, bot_id: BOT.bot } };
}

function update(workspace: Workspace, channel: Channel, args: Args): Answer {
  const message = workspace.find(channel.id, args.ts ?? "");
  if (message === undefined) return no("message_not_found");
  if (message.user !== BOT.user) return no("cant_update_message");
  const body = parseBody(args);
  if (typeof body === "string") return no(body);
  Object.assign(message, { body, shown: shownText(body), edits: message.edits + 1 });
  return { ok: true, channel: channel.id, ts: message.ts, text: body.text };
}

function ephemeral(workspace: Workspace, channel: Channel, args: Args): Answer {
  const body = parseBody(args);
  if (typeof body === "string") return no(body);
  workspace.ephemerals.push({ channel: channel.id, user: args.user ?? "", shown: shownText(body) });
  return { ok: true, message_ts: workspace.newTs() };
}

function memberships({ channels }: Workspace): readonly object[] {
  return [...channels.values()]
    .filter(({ id, botIsMember }) => botIsMember && !id.startsWith("D"))
    .map(({ id, name }) => ({ id, name }));
}

/** The channel's newest first, a thread's oldest first, as Slack does. */
function history(channel: Channel, args: Args): Answer {
  const inThread = args.ts !== undefined;
  const chosen = channel.all.filter(({ ts, thread }) =>
    inThread ? thread === args.ts || ts === args.ts : thread === undefined,
  );
  const since = chosen.filter(({ ts }) => Number(ts) >= Number(args.oldest ?? 0));
  const shown = (inThread ? since : since.toReversed()).slice(0, Number(args.limit ?? 100));
  const metadata = args.include_all_metadata === "true";
  return {
    ok: true,
    messages: shown.map((message) => ({
      type: "message",
      ts: message.ts,
      user: message.user,
      text: message.body.text,
      ...(metadata && message.metadata !== undefined ? { metadata: message.metadata } : {}),
    })),
    has_more: false,
  };
}
