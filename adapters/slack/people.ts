/** Who is behind a user id, for addressing them; nobody has a right by a name. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { SlackApi } from "./api.ts";

const HOUR_MS = 3_600_000;
/** A command waits no longer than this for the name of who gave it. */
const PATIENCE_MS = 2_000;
const MOST = 5_000;

const UserInfo = z.object({
  user: z.object({
    name: z.string().optional(),
    profile: z.object({ display_name: z.string().optional(), real_name: z.string().optional() }).optional(),
  }),
});

interface Known {
  readonly name: Promise<string | undefined>;
  readonly until: number;
}

export class People {
  readonly #api: SlackApi;
  readonly #known = new Map<string, Known>();
  /** Names by id, as far as they were looked up. */
  readonly #names = new Map<string, string>();
  /** Ids by room and name: whom an answer means that only knows the name. */
  readonly #ids = new Map<string, string>();

  constructor(api: SlackApi) {
    this.#api = api;
  }

  /** The name people see, or the id where Slack does not tell in time. */
  async name(id: string): Promise<string> {
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => undefined /* not needed */);
    const name = await Promise.race([this.#look(id), late]);
    patience.abort();
    return name ?? id;
  }

  /** The name, where it is known already. */
  nameNow(id: string): string | undefined {
    return this.#names.get(id);
  }

  /** Somebody spoke. */
  heard(room: string, name: string, id: string): void {
    if (this.#ids.size >= MOST) this.#ids.clear();
    this.#ids.set(`${room} ${name}`, id);
  }

  /** Who of that name spoke last in a room. */
  idOf(room: string, name: string): string | undefined {
    return this.#ids.get(`${room} ${name}`);
  }

  #look(id: string): Promise<string | undefined> {
    const known = this.#known.get(id);
    if (known !== undefined && known.until > performance.now()) return known.name;
    if (this.#known.size >= MOST) this.#known.clear();
    const name = this.#api.call("users.info", { user: id }, UserInfo, "safe", 2).then(
      ({ user }) => {
        const found = user.profile?.display_name || user.profile?.real_name || user.name;
        if (found !== undefined) this.#names.set(id, found);
        return found;
      },
      () => {
        // Their id will do this time; the next message asks again.
        this.#known.delete(id);
        return undefined;
      },
    );
    this.#known.set(id, { name, until: performance.now() + HOUR_MS });
    return name;
  }
}
