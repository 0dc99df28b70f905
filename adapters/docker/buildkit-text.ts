/** BuildKit's progress as text: a numbered line where a step begins, what it prints, and how it ends when it printed nothing. */
import { StringDecoder } from "node:string_decoder";
import { decodeTrace, type Vertex } from "./buildkit-trace.ts";

/** An unfinished line longer than this is passed on as it is. */
const LINE_CHARACTERS = 16 * 1024;
/** BuildKit's own errands, which no Dockerfile mentions. */
const INTERNAL = /^(\[internal\]|copy \/context \/$|resolve image config for )/;

interface Shown {
  /** `#2`, counted as they begin. */
  readonly number: string;
  readonly title: string;
  readonly decoder: StringDecoder;
  line: string;
  ended: boolean;
}

/**
 * One for each build. Steps that run side by side take turns by whole lines; where the turn passes, the step's title stands
 * again.
 */
export class BuildkitText {
  readonly #shown = new Map<string, Shown>();
  #speaking: string | undefined;
  /** The step that failed, as the Dockerfile has it. */
  failed: string | undefined;

  /** The text for one trace event; often none. */
  read(base64: string): string {
    const { vertexes, logs } = decodeTrace(base64);
    let text = "";
    // A step's beginning stands in front of what it printed, its end behind it, also when one event tells all three.
    for (const vertex of vertexes) text += this.#begin(vertex);
    for (const { digest, text: bytes } of logs) text += this.#print(digest, bytes);
    for (const vertex of vertexes) text += this.#end(vertex);
    return text;
  }

  #begin({ digest, name, started, cached }: Vertex): string {
    if (!(started || cached) || this.#shown.has(digest) || INTERNAL.test(name)) return "";
    const number = `#${this.#shown.size + 1}`;
    const title = `${number} ${withoutStage(name)}`;
    this.#shown.set(digest, { number, title, decoder: new StringDecoder(), line: "", ended: false });
    return this.#turnTo(digest, title);
  }

  #print(digest: string, bytes: Uint8Array): string {
    const shown = this.#shown.get(digest);
    if (shown === undefined) return "";
    shown.line += shown.decoder.write(Buffer.from(bytes));
    const end = shown.line.length > LINE_CHARACTERS ? shown.line.length : shown.line.lastIndexOf("\n") + 1;
    const whole = shown.line.slice(0, end);
    shown.line = shown.line.slice(end);
    return whole === "" ? "" : this.#turnTo(digest, shown.title) + whole;
  }

  #end({ digest, name, cached, completed, error }: Vertex): string {
    if (error !== "") this.failed ??= name.replace(/^\[[^\]]*\] /, "");
    const shown = this.#shown.get(digest);
    if (shown === undefined || shown.ended || !completed) return "";
    shown.ended = true;
    const rest = shown.line === "" ? "" : `${this.#turnTo(digest, shown.title)}${shown.line}\n`;
    shown.line = "";
    if (!cached) return rest;
    this.#speaking = undefined;
    return `${rest}${shown.number} cached\n`;
  }

  #turnTo(digest: string, title: string): string {
    if (this.#speaking === digest) return "";
    this.#speaking = digest;
    return `${title}\n`;
  }
}

/** `[stage-0 2/5] RUN x` is `[2/5] RUN x` where stages have no names. */
function withoutStage(name: string): string {
  return name.replace(/^\[stage-\d+ +/, "[");
}
