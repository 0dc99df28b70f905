/** One change made at every gateway, and what is said of it. */
import type { Frontend, State } from "../gateways/frontend.ts";
import { change, type Gateway } from "../gateways/gateway.ts";
import { attempt, type Outcome, type Session, toRow } from "../session.ts";
import type { Row } from "../table.ts";

export const GATEWAY_HEADERS = ["GATEWAY", "DOMAIN", "RESULT"];

/** The same change at each of them, side by side; what it throws is that gateway's failure. */
export async function changeEverywhere(
  { gateways }: Session,
  domain: string,
  make: (state: State) => State,
  done: string,
): Promise<Row[]> {
  return await onEveryGateway(gateways, domain, async (gateway) => {
    const { before, after } = await change(gateway, domain, make);
    const isSame = before.frontend.backends.join() === after.frontend.backends.join();
    return { result: isSame ? "nothing to change" : done, details: listed(after.frontend) };
  });
}

export async function onEveryGateway(
  gateways: readonly Gateway[],
  domain: string,
  each: (gateway: Gateway) => Promise<Outcome>,
): Promise<Row[]> {
  return await Promise.all(
    gateways.map(async (gateway) => toRow([gateway.name, domain], await attempt(() => each(gateway)))),
  );
}

export function listed({ identifier, backends }: Frontend): string[] {
  return backends.length === 0 ? ["no backends"] : [`${identifier}: ${backends.join(" ")}`];
}
