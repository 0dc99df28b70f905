/** What comes in from a chat, in the core's words. */
import { z } from "zod";
import { NetworkName } from "../names.ts";

/**
 * A place to talk. `name` is the network's own: `#docker-dev` on IRC, a channel id on Slack; for a direct message the nick
 * or user id it is held with.
 */
export const Room = z.strictObject({
  network: NetworkName,
  kind: z.enum(["channel", "direct"]),
  name: z.string().min(1),
});
export type Room = z.infer<typeof Room>;

/** `libera/#docker-dev`: how a room is written in the configuration, in Redis keys and in logs. */
export function roomKey(room: Room): string {
  return `${room.network}/${room.name}`;
}

/**
 * Who spoke. `account` is what the network vouches for (an IRC services account, a Slack user id); a display name or a bare
 * nick is only ever used to address an answer. `trusted` is the terminal: whoever holds it owns the process.
 */
export interface Speaker {
  readonly network: NetworkName;
  readonly displayName: string;
  readonly account: string | undefined;
  readonly trusted: boolean;
}

/** One line somebody said where the bot can hear it. */
export interface ChatMessage {
  /** Unique on its network for a day at least; a message that is delivered twice has the same one. */
  readonly id: string;
  readonly room: Room;
  readonly speaker: Speaker;
  /** As typed, without the network's markup. */
  readonly text: string;
  /** The bot's own name in this room, as people address it. */
  readonly botName: string;
  /** Where it was said in a thread, or begins one: the network's name for that. */
  readonly thread?: string;
  /** What somebody does and does not say: `/me pokes docker-ci`. */
  readonly action?: boolean;
  /** It is a command whatever it begins with: a pressed button, a slash command. */
  readonly command?: boolean;
  /** What refuses it is for the speaker alone: a pressed button. */
  readonly discreet?: boolean;
  /** A process before this one heard it then, and was stopped before it had answered. It may have done what was asked. */
  readonly leftOver?: Date;
}
