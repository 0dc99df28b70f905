/** `/releases`: so far, that there are none. */
import { Hono } from "hono";
import type { Frame, WebDeps } from "./deps.ts";
import { Page } from "./shell.tsx";

export function releaseRoutes({ config }: WebDeps, frame: Frame): Hono {
  const app = new Hono();
  app.get("/releases", async (c) => {
    const named = [...config.releases.keys()];
    return c.html(
      <Page title="Releases: none" bar={await frame.bar(c)} area="/releases">
        <h1>Releases</h1>
        <p>There are none: docker-ci cannot cut releases yet.</p>
        {named.length === 0 ? null : (
          <p>
            What <code>releases:</code> in <code>docker-ci.yml</code> says of {named.join(", ")} is checked, and kept
            for when it can.
          </p>
        )}
      </Page>,
    );
  });
  return app;
}
