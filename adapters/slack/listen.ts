/** Which of Bolt's events go where. Each is acknowledged once it cannot be lost any more, and answered after that. */
import type { App } from "@slack/bolt";
import type { Hearing } from "./hearing.ts";

export function listenTo(app: App, hearing: Hearing): void {
  const taken = async (): Promise<void> => undefined;
  // These were heard before they were given to Bolt (connection.ts), as it acknowledges them before anything else.
  app.event("message", taken);
  app.event("app_mention", taken);
  app.command(/.*/, async ({ ack, body }) => {
    const refusal = await hearing.slash(body);
    await (refusal === undefined ? ack() : ack(refusal));
  });
  app.action(/.*/, async ({ ack, body }) => {
    await hearing.pressed(body);
    await ack();
  });
  app.view(/.*/, async ({ ack, body }) => {
    await hearing.answered(body);
    await ack();
  });
}
