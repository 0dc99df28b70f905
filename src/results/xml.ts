/** Reads XML as it comes: elements, their attributes and texts, in bounded memory however large the file or a part of it is. */
import { decodeXML } from "entities";
import { Tokenizer, type TokenizerCallbacks } from "htmlparser2";
import { BrokenReport } from "./broken-report.ts";
import type { TextPiece } from "./report-text.ts";

/** Longer names, attributes and pieces of text are cut here. */
const PART_MAX = 16 * 1024;
/** What is held of something that has not ended yet, besides its newest piece. */
const HELD_MAX = 256 * 1024;
const DEPTH_MAX = 200;
/** The beginning of an entity at the end of a piece. */
const HALF_ENTITY = /&[#\w]{0,12}$/;

export interface XmlHandler {
  /** Whether text is wanted just now; what nobody wants is passed over. */
  readonly wantsText: boolean;
  /** @param attributes those that are wanted; they hold until it returns. */
  open(name: string, attributes: Attributes): void;
  /** A piece of the innermost element's text, entities and CDATA undone. */
  text(piece: string): void;
  close(name: string): void;
}

export interface Attributes {
  /** Undefined where the element does not have it. */
  get(name: string): string | undefined;
}

/**
 * A forgiving reader: characters that XML forbids and bare `&` are text. What it does not forgive is an element that is not closed
 * or closed by another, and entities that a document declares by itself: they are the bombs, and the keyholes to other files.
 */
export class XmlReader {
  readonly #tokenizer: Tokenizer;
  readonly #handler: XmlHandler;
  /** Of each wanted attribute its place among the values; one list for all elements, as there are many. */
  readonly #places: ReadonlyMap<string, number>;
  readonly #values: (string | undefined)[];
  readonly #attributes: Attributes;
  readonly #open: string[] = [];
  /** Pieces that the tokenizer may still point into, in order. */
  readonly #held: { readonly start: number; readonly text: string }[] = [];
  #heldLength = 0;
  /** Everything before it is told. */
  #told = 0;
  #written = 0;
  #newest: TextPiece = { text: "", linesBefore: 0 };
  #tag: string | undefined;
  #place: number | undefined;
  #value = "";
  #hasRoot = false;
  /** What may become an entity with the next piece of the text. */
  #half = "";

  /** @param wanted the names of the attributes that are read; others are passed over. */
  constructor(handler: XmlHandler, wanted: Iterable<string>) {
    this.#handler = handler;
    const places = new Map([...wanted].map((name, index) => [name, index]));
    const values = new Array<string | undefined>(places.size).fill(undefined);
    this.#places = places;
    this.#values = values;
    this.#attributes = { get: (name) => values[places.get(name) ?? -1] };
    this.#tokenizer = new Tokenizer({ xmlMode: true, decodeEntities: false }, this.#callbacks());
  }

  /** @throws BrokenReport, and whatever the handler throws. */
  write(piece: TextPiece): void {
    if (piece.text === "") return;
    this.#newest = piece;
    this.#held.push({ start: this.#written, text: piece.text });
    this.#heldLength += piece.text.length;
    this.#written += piece.text.length;
    this.#tokenizer.write(piece.text);
    this.#letGo();
  }

  /** @throws BrokenReport where the document has not ended. */
  end(): void {
    this.#tokenizer.end();
    if (this.#open.length > 0 || this.#tag !== undefined) {
      throw new BrokenReport(`is cut off at line ${this.#line(this.#written)}`);
    }
    if (!this.#hasRoot) throw new BrokenReport("has no XML element");
  }

  #callbacks(): TokenizerCallbacks {
    return {
      onopentagname: (start, end) => {
        this.#tag = this.#slice(start, end);
        this.#values.fill(undefined);
      },
      onattribname: (start, end) => {
        this.#place = this.#places.get(this.#slice(start, end));
        this.#value = "";
      },
      onattribdata: (start, end) => {
        if (this.#place !== undefined) this.#addToValue(this.#slice(start, end));
        this.#told = end;
      },
      // Entities are undone in the few texts that are wanted: without looking for them the tokenizer is half as fast again.
      onattribentity: () => undefined,
      ontextentity: () => undefined,
      onattribend: (_quote, end) => {
        if (this.#place !== undefined) this.#values[this.#place] = undone(this.#value);
        this.#place = undefined;
        this.#told = end;
      },
      onopentagend: (end) => {
        this.#told = end;
        this.#opened(end);
      },
      onselfclosingtag: (end) => {
        this.#told = end;
        const name = this.#opened(end);
        this.#open.pop();
        this.#handler.close(name);
      },
      onclosetag: (start, end) => this.#closed(this.#slice(start, end), end),
      ontext: (start, end) => {
        if (this.#handler.wantsText) this.#text(this.#slice(start, end));
        this.#told = end;
      },
      oncdata: (start, end, offset) => {
        this.#endText();
        if (this.#handler.wantsText) this.#handler.text(this.#slice(start, end - offset));
        this.#told = end;
      },
      ondeclaration: (start, end) => {
        if (/^(?:ENTITY\b|DOCTYPE[^[]*\[)/i.test(this.#slice(start, end))) {
          throw new BrokenReport(`declares entities of its own at line ${this.#line(start)}, which are never read`);
        }
        this.#told = end;
      },
      oncomment: (_start, end) => {
        this.#told = end;
      },
      onprocessinginstruction: (_start, end) => {
        this.#told = end;
      },
      onend: () => undefined,
    };
  }

  #opened(at: number): string {
    const name = this.#tag ?? "";
    this.#endText();
    this.#tag = undefined;
    this.#hasRoot = true;
    this.#open.push(name);
    if (this.#open.length > DEPTH_MAX) {
      throw new BrokenReport(`has more than ${DEPTH_MAX} elements inside each other at line ${this.#line(at)}`);
    }
    this.#handler.open(name, this.#attributes);
    return name;
  }

  #closed(name: string, at: number): void {
    this.#endText();
    const open = this.#open.pop();
    if (open !== name) {
      const inside = open === undefined ? "nothing is open" : `<${shown(open)}> is open`;
      throw new BrokenReport(`closes <${shown(name)}> at line ${this.#line(at)}, where ${inside}`);
    }
    this.#told = at;
    this.#handler.close(name);
  }

  #addToValue(piece: string): void {
    if (this.#value.length < PART_MAX) this.#value += piece;
  }

  /** An entity may begin in one piece and end in the next. */
  #text(piece: string): void {
    const raw = this.#half + piece;
    const half = HALF_ENTITY.exec(raw)?.[0] ?? "";
    this.#half = half;
    this.#handler.text(undone(half === "" ? raw : raw.slice(0, -half.length)));
  }

  #endText(): void {
    if (this.#half !== "" && this.#handler.wantsText) this.#handler.text(this.#half);
    this.#half = "";
  }

  /** The beginning of what stands between two places of the whole text. */
  #slice(start: number, end: number): string {
    const until = Math.min(end, start + PART_MAX);
    const [only] = this.#held;
    if (this.#held.length === 1 && only !== undefined) return only.text.slice(start - only.start, until - only.start);
    let slice = "";
    for (const { start: first, text } of this.#held) {
      if (first >= until) break;
      if (first + text.length > start) slice += text.slice(Math.max(0, start - first), until - first);
    }
    return slice;
  }

  /** Drops the pieces that are told, and of something that goes on and on all but its beginning and its newest piece. */
  #letGo(): void {
    let first = this.#held[0];
    while (first !== undefined && first.start + first.text.length <= this.#told) {
      this.#heldLength -= first.text.length;
      this.#held.shift();
      first = this.#held[0];
    }
    while (this.#heldLength > HELD_MAX && this.#held.length > 2) {
      const [dropped] = this.#held.splice(-2, 1);
      this.#heldLength -= dropped?.text.length ?? 0;
    }
  }

  #line(at: number): number {
    const inPiece = at - (this.#written - this.#newest.text.length);
    return this.#newest.linesBefore + (this.#newest.text.slice(0, Math.max(0, inPiece)).match(/\n/g)?.length ?? 0) + 1;
  }
}

/** Those of XML and numbers; others are text. */
function undone(text: string): string {
  return text.includes("&") ? decodeXML(text) : text;
}

function shown(name: string): string {
  return name.replace(/[^\w.:-]/g, "?").slice(0, 40);
}
