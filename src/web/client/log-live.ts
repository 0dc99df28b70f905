/** What comes to a log while it is looked at, and the rest of the page when the build's record changes. */

export interface Follower {
  /** More text of the log. */
  text(text: string): void;
  /** Something was left out: the log is to be read anew; resolves with the byte behind what was read. */
  anew(): Promise<number>;
  /** Nothing comes any more. */
  ended(): void;
}

/** After a gap the flood is let pass before the log is read anew. */
const PAUSE_MS = 300;
const LINE_MS = 5_000;

/** Follows from that byte on, until the end. @param told what the page knows of the build, as the server put it. */
export function followLog(address: string, told: string, after: number, follower: Follower): void {
  const source = new EventSource(`${address}?after=${after}&told=${encodeURIComponent(told)}`);
  source.addEventListener("chunk", ({ data }) => {
    const text: unknown = JSON.parse(String(data));
    if (typeof text === "string") follower.text(text);
  });
  source.addEventListener("gap", ({ data }) => {
    source.close();
    const gap: { to: number } = JSON.parse(String(data));
    const again = async (): Promise<void> => {
      const bytes = await follower.anew();
      followLog(address, told, Math.max(bytes, gap.to), follower);
    };
    setTimeout(() => void again(), PAUSE_MS);
  });
  source.addEventListener("build", () => void showFacts());
  source.addEventListener("end", () => {
    source.close();
    follower.ended();
    void showFacts();
  });
}

/** Takes the facts, the title and the icon from the page as the server has it now. */
export async function showFacts(): Promise<void> {
  try {
    const answer = await fetch(location.pathname);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = page.title;
    for (const selector of ["#icon", "#facts", ".bar .going-on"]) {
      const [shown, fresh] = [document.querySelector(selector), page.querySelector(selector)];
      if (shown !== null && fresh !== null) shown.replaceWith(document.importNode(fresh, true));
    }
    countTime();
  } catch {
    // The network is away; the next change brings it.
  }
}

/** The place in the line changes with other builds' records, of which nothing is told here: it is asked for. */
export async function followLine(): Promise<void> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LINE_MS));
    const shown = document.querySelector("#waits");
    if (shown === null) return;
    try {
      const answer = await fetch(location.pathname);
      if (!answer.ok) continue;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#waits");
      if (fresh !== null) shown.textContent = fresh.textContent;
    } catch {
      // The network is away; the next look may find it back.
    }
  }
}

let counting: ReturnType<typeof setInterval> | undefined;

/** Lets the time of a running build go on; from what the server said, since this machine's clock may be another. */
export function countTime(): void {
  clearInterval(counting);
  const shown = document.querySelector<HTMLElement>("[data-elapsed]");
  const elapsedMs = Number(shown?.dataset.elapsed);
  if (shown === null || Number.isNaN(elapsedMs)) return;
  const beganAt = performance.now() - elapsedMs;
  counting = setInterval(() => {
    shown.textContent = asDuration(Math.floor((performance.now() - beganAt) / 1_000));
  }, 1_000);
}

/** As units.ts has it: `58s`, `2m58s`, `1h02m`. */
function asDuration(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h${two(Math.floor((seconds % 3_600) / 60))}m`;
}
