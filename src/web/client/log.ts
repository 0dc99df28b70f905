/** Makes the log on the page of a build a viewer: follows it, searches it, folds its steps, and goes to the line that the address names. */
import { countTime, followLine, followLog } from "./log-live.ts";
import { LogSearch } from "./log-search.ts";
import { LogStore, type Outline } from "./log-store.ts";
import { LogView } from "./log-view.ts";

/** A longer log is not put on a clipboard. */
const COPY_MAX = 5_000_000;

const section = document.querySelector<HTMLElement>("#log");
if (section !== null) void open(section);
countTime();
void followLine();

async function open(place: HTMLElement): Promise<void> {
  const address = `/builds/${place.dataset.build ?? ""}/log`;
  const isLive = place.dataset.live === "true";
  let bytes = 0;
  const store = new LogStore(address, () => view.draw());
  const follow = button("Follow", () => hold(!view.isFollowing));
  const hold = (isFollowing: boolean): void => {
    view.isFollowing = isFollowing && !follow.hidden;
    follow.setAttribute("aria-pressed", String(view.isFollowing));
    view.draw();
  };
  const view: LogView = new LogView(store, hold);
  const search = new LogSearch(address, view, () => hold(false));

  const read = async (): Promise<boolean> => {
    // Without a connection the page stays as the server drew it, or goes on with what it has.
    const answer = await fetch(`${address}/outline`).catch(() => undefined);
    if (answer?.status !== 200) return false;
    const outline: Outline = await answer.json();
    bytes = outline.bytes;
    store.take(outline);
    return true;
  };
  const hasLog = await read();
  if (!hasLog && !isLive) return;

  follow.hidden = !isLive;
  const raw = document.createElement("a");
  raw.className = "button right";
  raw.href = address;
  raw.textContent = "Raw";
  const folds = [button("Fold", () => view.foldAll(true)), button("Unfold", () => view.foldAll(false))];
  const tools = document.createElement("div");
  tools.className = "log-head";
  tools.append(search.element, follow, ...folds, raw);
  // Browsers have a clipboard for pages that came over HTTPS only.
  if (isSecureContext) tools.append(copyButton(address, view, store, () => bytes));
  // Until there is a line, the words that say so are better than an empty box.
  const appear = (): void => {
    if (view.element.isConnected) return;
    place.querySelectorAll(".log-plain, .log-none").forEach((element) => {
      element.remove();
    });
    place.append(tools, view.element);
  };
  if (hasLog) appear();

  const toHash = (): void => {
    const line = lineOf(location.hash);
    view.chosen = line;
    view.draw();
    if (line === undefined) return;
    hold(false);
    place.scrollIntoView({ block: "start" });
    view.show(Math.min(line, Math.max(1, store.count)));
  };
  addEventListener("hashchange", toHash);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLElement>("a[data-line]") : null;
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const hash = `#L${link.dataset.line ?? ""}`;
    if (location.hash === hash) toHash();
    else location.hash = hash;
  });

  hold(isLive);
  const telling = document.querySelector<HTMLElement>("a[data-line]")?.dataset.line;
  if (lineOf(location.hash) !== undefined) toHash();
  else if (!isLive) view.show(telling === undefined ? store.count : Number(telling));
  if (!isLive) return;
  followLog(address, place.dataset.told ?? "", bytes, {
    text(text) {
      bytes += text.length;
      appear();
      for (const number of store.append(text)) search.look(number, store.line(number) ?? "");
    },
    async anew() {
      if (await read()) appear();
      return bytes;
    },
    ended() {
      follow.hidden = true;
      hold(false);
      view.draw();
    },
  });
}

function button(text: string, pressed: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", pressed);
  return made;
}

/** Copies the line that was chosen, else the whole log. */
function copyButton(address: string, view: LogView, store: LogStore, bytes: () => number): HTMLButtonElement {
  const copy = async (): Promise<string> => {
    const line = view.chosen === undefined ? undefined : store.line(view.chosen);
    if (line === undefined && bytes() > COPY_MAX) return "Too long";
    await navigator.clipboard.writeText(line ?? (await (await fetch(address)).text()));
    return line === undefined ? "Copied all" : "Copied the line";
  };
  const made = button("Copy", () => {
    const say = (text: string): void => {
      made.textContent = text;
      setTimeout(() => {
        made.textContent = "Copy";
      }, 2_000);
    };
    copy().then(say, () => say("Not allowed"));
  });
  return made;
}

/** `#L8812` */
function lineOf(hash: string): number | undefined {
  const found = /^#L([1-9]\d{0,9})$/.exec(hash);
  return found === null ? undefined : Number(found[1]);
}
