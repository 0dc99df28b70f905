/** What people say, as messages for the core. */
import { randomUUID } from "node:crypto";
import type { Client, PrivmsgEvent } from "irc-framework";
import type { ChatMessage, Room } from "../../src/chat/message.ts";
import type { NetworkName } from "../../src/names.ts";
import type { Accounts } from "./accounts.ts";
import type { Channels } from "./channels.ts";
import { clean } from "./text.ts";

/** Batches in which servers and bouncers repeat what was said before we came. */
const PLAYBACK = new Set(["chathistory", "znc.in/playback"]);
/** Clocks tick in seconds in places, and the measured difference between the server's and ours is off by the way there. */
const CLOCK_TOLERANCE_MS = 5_000;
/** How bots mark themselves; we answer none, or two bots would talk for ever. */
const BOT_TAGS = ["bot", "draft/bot", "inspircd.org/bot"];

export class Hearing {
  readonly #client: Client;
  readonly #network: NetworkName;
  readonly #channels: Channels;
  readonly #accounts: Accounts;
  readonly #deliver: (message: ChatMessage) => void;
  /** The last message of each room that still waits for an account. */
  readonly #waiting = new Map<string, Promise<void>>();
  #connectedAt = 0;

  constructor(
    client: Client,
    network: NetworkName,
    channels: Channels,
    accounts: Accounts,
    deliver: (message: ChatMessage) => void,
  ) {
    this.#client = client;
    this.#network = network;
    this.#channels = channels;
    this.#accounts = accounts;
    this.#deliver = deliver;
    client.on("socket connected", () => {
      this.#connectedAt = Date.now();
    });
    client.on("privmsg", (event) => this.#heard(event));
    client.on("action", (event) => this.#heard(event, { action: true }));
  }

  #heard(event: PrivmsgEvent, how: Pick<ChatMessage, "action"> = {}): void {
    // A server has no user and host; our own lines come back with echo-message.
    if (event.ident === "" || event.hostname === "" || this.#isMe(event.nick)) return;
    if (this.#isPlayback(event) || BOT_TAGS.some((tag) => tag in event.tags) || event.message.startsWith("\x01"))
      return;
    const room = this.#room(event);
    if (room === undefined) return;
    const message = {
      id: event.tags.msgid ?? event.tags["draft/msgid"] ?? randomUUID(),
      room,
      text: clean(event.message),
      botName: this.#client.user.nick,
      ...how,
    };
    this.#inOrder(room.name, this.#accounts.of(event), (account) => {
      const speaker = { network: this.#network, displayName: event.nick, account, trusted: false };
      this.#deliver({ ...message, speaker });
    });
  }

  /** Undefined for what was said to nobody in particular (`$$*`), and in a channel that is not ours. */
  #room({ target, nick }: PrivmsgEvent): Room | undefined {
    if (this.#isMe(target)) return { network: this.#network, kind: "direct", name: nick };
    const channel = this.#channels.canonical(target);
    return channel === undefined ? undefined : { network: this.#network, kind: "channel", name: channel };
  }

  /**
   * What was said before this connection is not for us to do again: after an outage a server with history, or a bouncer, repeats
   * it. Such lines come in a batch, or bear a server-time from before we connected, by the server's clock. What is only late
   * (said since, and held up on the way) passes; what was said in the tolerance twice has the same id both times.
   */
  #isPlayback({ batch, time }: PrivmsgEvent): boolean {
    if (batch !== undefined && PLAYBACK.has(batch.type)) return true;
    if (time === undefined) return false;
    return time < this.#connectedAt + this.#client.network.getServerTimeOffset() - CLOCK_TOLERANCE_MS;
  }

  /** Delivers at once when nothing is in the way, else after what was said in the room before. */
  #inOrder(room: string, account: string | undefined | Promise<string | undefined>, say: (account?: string) => void) {
    const before = this.#waiting.get(room);
    if (before === undefined && !(account instanceof Promise)) return say(account);
    const turn = Promise.all([account, before]).then(([known]) => {
      if (this.#waiting.get(room) === turn) this.#waiting.delete(room);
      say(known);
    });
    this.#waiting.set(room, turn);
  }

  #isMe(nick: string): boolean {
    return this.#client.caseCompare(nick, this.#client.user.nick);
  }
}
