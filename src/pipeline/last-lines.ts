/** The end of an output, for when it turns out to be of interest. */
import { StringDecoder } from "node:string_decoder";
import type { OutputChunk } from "../runtime.ts";
import type { Mask, MaskStream } from "./masking.ts";

const LINES_KEPT = 20;
/** What is longer is cut: it is there to be read by people. */
const LINE_LENGTH = 1_000;

/** Keeps the last lines of both streams of a container, masked, in the order in which they were completed. */
export class LastLines {
  readonly #mask: Mask | undefined;
  readonly #streams: Readonly<Record<OutputChunk["stream"], OpenLine>>;
  #lines: string[] = [];

  constructor(mask: Mask | undefined) {
    this.#mask = mask;
    this.#streams = { stdout: this.#open(), stderr: this.#open() };
  }

  push({ stream, bytes }: OutputChunk): void {
    const open = this.#streams[stream];
    const texts = (open.text + open.decoder.write(Buffer.from(open.mask?.push(bytes) ?? bytes))).split("\n");
    open.text = cut(texts.pop() ?? "");
    this.#lines = [...this.#lines, ...texts.slice(-LINES_KEPT).map(cut)].slice(-LINES_KEPT);
  }

  /** With the lines that have not ended yet. */
  read(): readonly string[] {
    const { stdout, stderr } = this.#streams;
    const open = [stdout, stderr].map(({ text }) => text).filter((text) => text !== "");
    return [...this.#lines, ...open].slice(-LINES_KEPT);
  }

  #open(): OpenLine {
    return { text: "", decoder: new StringDecoder("utf8"), mask: this.#mask?.stream() };
  }
}

interface OpenLine {
  text: string;
  readonly decoder: StringDecoder;
  readonly mask: MaskStream | undefined;
}

function cut(line: string): string {
  return line.slice(0, LINE_LENGTH);
}
