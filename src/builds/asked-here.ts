/** Which builds were asked for over this process's own chats since it started: a terminal ends with what became of its own. */
import type { BuildNumber } from "../names.ts";
import type { Build } from "./build.ts";
import type { BuildStore } from "./store.ts";

/** Of one network; nobody types more, and a process that runs for a year keeps no more. */
const REMEMBERED = 10_000;

export interface AskedHere {
  note(build: Pick<Build, "number" | "requester">): void;
  /** As they are now, the oldest first; one whose record was cleared away is left out. */
  from(network: string): Promise<readonly Build[]>;
}

/** @param isChat whether a network is one of this process; what pushes, nights and the page ask for is not kept. */
export function createAskedHere(
  store: Pick<BuildStore, "get">,
  isChat: (network: string) => boolean,
  remembered = REMEMBERED,
): AskedHere {
  const numbers = new Map<string, BuildNumber[]>();
  return {
    note({ number, requester: { network } }) {
      if (!isChat(network)) return;
      const asked = numbers.get(network) ?? [];
      numbers.set(network, asked);
      asked.push(number);
      if (asked.length > remembered) asked.shift();
    },
    async from(network) {
      const builds = await Promise.all((numbers.get(network) ?? []).map((number) => store.get(number)));
      return builds.filter((build) => build !== undefined);
    },
  };
}
