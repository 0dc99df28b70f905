/** The log on the page: only the lines that are seen are in the document, however many there are. */
import { inkOn, legible, type Rgb, type Stretch, stretchesOf } from "./log-ansi.ts";
import type { LogStore } from "./log-store.ts";

/** As in style.ts. */
const ROW = 20;
const BEYOND = 10;
const ROWS_LEAST = 8;
/** Browsers draw nothing below about 33 million pixels; longer logs are scrolled faster. */
const HEIGHT_MAX = 15_000_000;

/** Lines that follow each other in the log and on the page. */
interface Run {
  readonly row: number;
  readonly line: number;
  readonly count: number;
}

export class LogView {
  readonly element = document.createElement("div");
  /** The line that the address names. */
  chosen: number | undefined;
  /** Words that are looked for, in lower case; and the lines that have them. */
  words = "";
  hits: ReadonlySet<number> = new Set();
  now: number | undefined;
  isFollowing = false;
  readonly #store: LogStore;
  readonly #folded = new Set<number>();
  readonly #space = document.createElement("div");
  readonly #rows = document.createElement("div");
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  #runs: Run[] = [];
  #rowCount = 0;
  #isDue = false;

  /** @param heldBack told when somebody scrolls away from the end, or back to it. */
  constructor(store: LogStore, heldBack: (isFollowing: boolean) => void) {
    this.#store = store;
    this.element.className = "log-view";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "region");
    this.element.setAttribute("aria-label", "Lines of the log");
    this.#space.className = "log-space";
    this.#rows.className = "log-rows";
    this.#space.append(this.#rows);
    this.element.append(this.#space);
    this.element.addEventListener("scroll", () => this.draw(), { passive: true });
    // A person scrolls with these; the page itself does too, which must not count.
    // Away from the end counts at once: before it has scrolled, the next lines would take it back to where it was.
    this.element.addEventListener(
      "wheel",
      ({ deltaY }) => {
        if (deltaY < 0 && this.element.scrollHeight > this.element.clientHeight) heldBack(false);
        else requestAnimationFrame(() => heldBack(this.#isAtEnd()));
      },
      { passive: true },
    );
    for (const name of ["touchmove", "keydown", "pointerdown"] as const) {
      this.element.addEventListener(name, () => requestAnimationFrame(() => heldBack(this.#isAtEnd())), {
        passive: true,
      });
    }
    this.element.addEventListener("click", (event) => this.#clicked(event));
    this.#dark.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Once before the next picture, however often it is asked for. */
  draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  /** Scrolls so that the line stands in the upper third, out of a fold if it has to. */
  show(line: number): void {
    for (const { line: begin, end } of this.#sections()) {
      if (line > begin && line <= end) this.#folded.delete(begin);
    }
    this.#lay();
    const row = this.#rowOf(line);
    this.element.scrollTop = Math.max(0, row * ROW * this.#scale() - this.element.clientHeight / 3);
    this.draw();
  }

  /** The first line that is seen. */
  get top(): number {
    return this.#lineAt(Math.ceil(this.element.scrollTop / this.#scale() / ROW));
  }

  foldAll(isFolded: boolean): void {
    this.#folded.clear();
    if (isFolded) for (const { line } of this.#sections()) this.#folded.add(line);
    this.draw();
  }

  #isAtEnd(): boolean {
    return this.element.scrollTop + this.element.clientHeight >= this.element.scrollHeight - 2 * ROW;
  }

  #scale(): number {
    return Math.min(1, HEIGHT_MAX / Math.max(1, this.#rowCount * ROW));
  }

  /** Steps with the lines that can be folded away below their first. */
  #sections(): { readonly line: number; readonly end: number }[] {
    const whole = this.#store.sections.filter(({ isMixed }) => !isMixed);
    return whole.map(({ line }, index) => ({ line, end: (whole[index + 1]?.line ?? this.#store.count + 1) - 1 }));
  }

  /** Works out which row each line stands in. */
  #lay(): void {
    this.#runs = [];
    let row = 0;
    let line = 1;
    const run = (last: number): void => {
      if (last < line) return;
      this.#runs.push({ row, line, count: last - line + 1 });
      row += last - line + 1;
    };
    for (const section of this.#sections()) {
      if (!this.#folded.has(section.line)) continue;
      run(section.line);
      line = section.end + 1;
    }
    run(this.#store.count);
    this.#rowCount = row;
    this.#space.style.height = `${Math.round(row * ROW * this.#scale())}px`;
    // A short log leaves no empty box below it.
    if (row > 0) this.element.style.maxHeight = `${Math.max(ROWS_LEAST, row + 1) * ROW}px`;
  }

  #lineAt(row: number): number {
    const run = this.#runs.findLast((each) => each.row <= row) ?? this.#runs[0];
    return run === undefined ? 1 : run.line + Math.min(run.count - 1, Math.max(0, row - run.row));
  }

  #rowOf(line: number): number {
    const run = this.#runs.findLast((each) => each.line <= line);
    return run === undefined ? 0 : run.row + Math.min(run.count - 1, line - run.line);
  }

  #draw(): void {
    this.#lay();
    const scale = this.#scale();
    if (this.isFollowing) this.element.scrollTop = this.element.scrollHeight;
    const { scrollTop, clientHeight } = this.element;
    const top = scrollTop / scale / ROW;
    const first = Math.max(0, Math.floor(top) - BEYOND);
    const last = Math.min(this.#rowCount - 1, Math.ceil(top + clientHeight / ROW) + BEYOND);
    const lines: number[] = [];
    for (let row = first; row <= last; row += 1) lines.push(this.#lineAt(row));
    const [from] = lines;
    const to = lines.at(-1);
    if (from !== undefined && to !== undefined) {
      // Behind a fold they lie far apart.
      if (to - from <= lines.length) this.#store.need(from, to);
      else for (const line of lines) this.#store.need(line, line);
    }
    const begins = new Map(this.#sections().map(({ line }) => [line, this.#folded.has(line)]));
    this.#rows.replaceChildren(...lines.map((line) => this.#row(line, begins.get(line))));
    this.#rows.style.transform = `translateY(${scrollTop + (first - top) * ROW}px)`;
  }

  #row(line: number, isFolded: boolean | undefined): HTMLElement {
    const row = document.createElement("div");
    row.className = "log-row";
    row.classList.toggle("chosen", line === this.chosen);
    row.classList.toggle("hit", this.hits.has(line));
    row.classList.toggle("now", line === this.now);
    row.classList.toggle("header", isFolded !== undefined);
    const number = document.createElement("a");
    number.className = "no";
    number.href = `#L${line}`;
    number.tabIndex = -1;
    number.textContent = String(line);
    const fold = document.createElement(isFolded === undefined ? "span" : "button");
    fold.className = "fold";
    if (isFolded !== undefined) {
      fold.dataset.fold = String(line);
      fold.textContent = isFolded ? "▸" : "▾";
      fold.setAttribute("aria-expanded", String(!isFolded));
      fold.setAttribute("aria-label", "the lines of this step");
    }
    const text = document.createElement("span");
    text.className = "text";
    const raw = this.#store.line(line);
    if (raw === undefined) text.textContent = "…";
    else for (const stretch of stretchesOf(raw)) text.append(...this.#drawn(stretch));
    row.append(number, fold, text);
    return row;
  }

  #drawn({ text, classes, colour, background }: Stretch): Node[] {
    const parts = this.words === "" ? [text] : marked(text, this.words);
    if (classes === "" && colour === undefined && background === undefined) return parts.map(asNode);
    const span = document.createElement("span");
    span.className = classes;
    const ink =
      colour === undefined ? undefined : background === undefined ? legible(colour, this.#dark.matches) : colour;
    if (background !== undefined) {
      span.style.backgroundColor = css(background);
      span.style.color = css(inkOn(background));
    } else if (ink !== undefined) span.style.color = css(ink);
    span.append(...parts.map(asNode));
    return [span];
  }

  #clicked(event: Event): void {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-fold]") : null;
    const line = Number(button?.dataset.fold);
    if (button === null || Number.isNaN(line)) return;
    if (!this.#folded.delete(line)) this.#folded.add(line);
    this.element.focus({ preventScroll: true });
    this.draw();
  }
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

function asNode(part: string | HTMLElement): Node {
  return typeof part === "string" ? document.createTextNode(part) : part;
}

/** The text with the words in it marked. */
function marked(text: string, words: string): (string | HTMLElement)[] {
  const found: (string | HTMLElement)[] = [];
  const lower = text.toLowerCase();
  // Some letters are longer in lower case; then nothing is marked rather than the wrong place.
  if (lower.length !== text.length) return [text];
  let at = 0;
  for (let next = lower.indexOf(words); next !== -1; next = lower.indexOf(words, at)) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(next, next + words.length);
    found.push(text.slice(at, next), mark);
    at = next + words.length;
  }
  return [...found, text.slice(at)];
}
