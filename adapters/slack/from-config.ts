/** The configuration's words for a workspace, in the adapter's. */
import type { SlackWorkspace } from "../../src/config.ts";
import type { SlackOptions } from "./options.ts";

export function fromConfig(
  { name, botToken, appToken, apiUrl, channels }: SlackWorkspace,
  version: string,
): SlackOptions {
  return {
    name,
    botToken: botToken.reveal(),
    appToken: appToken.reveal(),
    apiUrl,
    channels,
    version: `docker-ci/${version}`,
  };
}
