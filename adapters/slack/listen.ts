/** Which of Bolt's events go where. Everything is acknowledged before it is looked at. */
import type { App } from "@slack/bolt";
import type { Hearing } from "./hearing.ts";

export function listenTo(app: App, hearing: Hearing): void {
  // Bolt acknowledges these by itself, and before it calls.
  app.event("message", async ({ body }) => hearing.said(body));
  app.event("app_mention", async ({ body }) => hearing.said(body));
  app.command(/.*/, async ({ ack, body }) => {
    const refusal = hearing.slash(body);
    await (refusal === undefined ? ack() : ack(refusal));
  });
  app.action(/.*/, async ({ ack, body }) => {
    await ack();
    hearing.pressed(body);
  });
}
