/** Looking for words in a log: the server knows all lines, and what comes live is looked through here. */
import { stretchesOf } from "./log-ansi.ts";
import type { LogView } from "./log-view.ts";

interface Found {
  readonly count: number;
  readonly lines: readonly number[];
}

export class LogSearch {
  readonly element = document.createElement("form");
  readonly #input = document.createElement("input");
  readonly #said = document.createElement("span");
  readonly #address: string;
  readonly #view: LogView;
  #lines: number[] = [];
  #count = 0;
  #turn = 0;

  /** @param looked told when somebody goes to a place that was found. */
  constructor(address: string, view: LogView, looked: () => void) {
    this.#address = address;
    this.#view = view;
    const label = document.createElement("label");
    label.textContent = "Search in the log ";
    this.#input.type = "search";
    this.#input.name = "q";
    this.#input.maxLength = 200;
    this.#input.setAttribute("aria-keyshortcuts", "/");
    label.append(this.#input);
    this.#said.className = "found";
    this.#said.setAttribute("role", "status");
    const step = (text: string, name: string, by: number): HTMLButtonElement => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.setAttribute("aria-label", name);
      button.addEventListener("click", () => this.#go(by, looked));
      return button;
    };
    this.element.append(label, step("↑", "the one before", -1), step("↓", "the next one", 1), this.#said);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = this.#input.value.toLowerCase();
      if (words === this.#view.words) this.#go(1, looked);
      else void this.#search(words, looked);
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.shiftKey) {
        event.preventDefault();
        this.#go(-1, looked);
      }
    });
    this.#input.addEventListener("input", () => {
      if (this.#input.value === "") this.#clear();
    });
    document.addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof HTMLElement && /^(?:INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#input.focus();
      this.#input.select();
    });
  }

  /** A line that came live. */
  look(number: number, raw: string): void {
    const { words } = this.#view;
    if (words === "" || this.#lines.at(-1) === number) return;
    const text = stretchesOf(raw)
      .map((stretch) => stretch.text)
      .join("");
    if (!text.toLowerCase().includes(words)) return;
    this.#lines.push(number);
    this.#count += 1;
    this.#view.hits = new Set(this.#lines);
    this.#say();
  }

  #clear(): void {
    this.#turn += 1;
    this.#lines = [];
    this.#count = 0;
    this.#view.words = "";
    this.#view.hits = new Set();
    this.#view.now = undefined;
    this.#said.textContent = "";
    this.#view.draw();
  }

  async #search(words: string, looked: () => void): Promise<void> {
    this.#clear();
    if (words === "") return;
    const turn = this.#turn;
    this.#said.textContent = "looking…";
    try {
      const answer = await fetch(`${this.#address}/search?q=${encodeURIComponent(words)}`);
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      const found: Found = await answer.json();
      if (turn !== this.#turn) return;
      this.#lines = [...found.lines];
      this.#count = found.count;
      this.#view.words = words;
      this.#view.hits = new Set(found.lines);
      this.#go(0, looked);
      this.#view.draw();
    } catch {
      // The network is away, or the log is gone; a person can press Enter again.
      if (turn === this.#turn) this.#said.textContent = "cannot be looked for now";
    }
  }

  /** To the next (1) or the one before (-1) from where one is; or (0) to the first from the top of what is seen. */
  #go(by: number, looked: () => void): void {
    const { now, top } = this.#view;
    const from = now ?? top - (by < 0 ? 0 : 1);
    const next =
      by < 0
        ? (this.#lines.findLast((line) => line < from) ?? this.#lines.at(-1))
        : (this.#lines.find((line) => line > from) ?? this.#lines[0]);
    if (next !== undefined) {
      looked();
      this.#view.now = next;
      this.#view.show(next);
    }
    this.#say();
  }

  #say(): void {
    const place = this.#view.now === undefined ? -1 : this.#lines.indexOf(this.#view.now);
    const count = this.#count.toLocaleString("en-US");
    this.#said.textContent = this.#count === 0 ? "not found" : `${place === -1 ? "" : `${place + 1} of `}${count}`;
  }
}
