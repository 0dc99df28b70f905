/** The gateways of a cluster; another kind is one more file and one more line here. */
import type { GatewaySettings } from "../settings.ts";
import type { Gateway } from "./gateway.ts";
import { openHipache } from "./hipache.ts";
import { openTraefik } from "./traefik.ts";

export function openGateway(settings: GatewaySettings): Promise<Gateway> {
  switch (settings.kind) {
    case "hipache":
      return openHipache(settings.address);
    case "traefik":
      return openTraefik(settings.address, settings.options);
    default:
      return settings satisfies never;
  }
}
