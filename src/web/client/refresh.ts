/**
 * Keeps a page up to date without loading it anew: asks for it again and replaces the parts marked `data-live` that came out
 * different, so that nothing else on it moves. Without scripts the page loads itself anew instead.
 */
const BUSY_MS = 2_000;
const IDLE_MS = 10_000;
const AWAY_MS = 30_000;

/** Milliseconds until it is worth looking again. */
async function look(): Promise<number> {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return AWAY_MS;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next === null || next.outerHTML === part.outerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement?.getAttribute("href") : undefined;
    part.replaceWith(next);
    if (typeof focused === "string") next.querySelector<HTMLElement>(`[href="${CSS.escape(focused)}"]`)?.focus();
  }
  document.title = fresh.title;
  const icon = fresh.getElementById("icon")?.getAttribute("href");
  if (typeof icon === "string") document.getElementById("icon")?.setAttribute("href", icon);
  return fresh.querySelector("#going-on .state") === null ? IDLE_MS : BUSY_MS;
}

/** Nobody looks at a tab in the background; it is up to date the moment that somebody does. */
function seen(): Promise<void> {
  if (document.visibilityState === "visible") return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", () => resolve(), { once: true }));
}

let waitMs = document.querySelector("#going-on .state") === null ? IDLE_MS : BUSY_MS;
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  await seen();
  // The server may be restarting: what is shown stays, and it is asked again later.
  waitMs = await look().catch(() => AWAY_MS);
}
