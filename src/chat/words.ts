/**
 * The words behind a command, quoted as in a shell. Made for people who type on phones too: what a keyboard turned into
 * typographic quotes and dashes is read as what was meant, and an apostrophe inside a word is an apostrophe.
 */

interface WordBase {
  /** With quotes and backslashes taken away. */
  readonly text: string;
  /** Where it begins in the line it was split from. */
  readonly start: number;
}

/** `docker`; `--no-cache`, `--lines=20`; `NODE=22`; `/out of memory/`. What begins with a quote is always text. */
export type Word =
  | (WordBase & { readonly kind: "text" })
  /** The name is in lower case and without its dashes. */
  | (WordBase & { readonly kind: "flag"; readonly name: string; readonly value: string | undefined })
  | (WordBase & { readonly kind: "pair"; readonly key: string; readonly value: string })
  /** What stands between the slashes; may hold spaces, and `\/` for a slash. An `i` may follow. */
  | (WordBase & { readonly kind: "pattern"; readonly source: string; readonly ignoreCase: boolean });

export type Split =
  | { readonly kind: "words"; readonly words: readonly Word[] }
  /** A quote was opened at `from` and never closed. */
  | { readonly kind: "unclosed"; readonly from: number };

/** Nothing to see, and easily pasted along: zero-width characters, direction marks, soft hyphens. */
export const INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff";

const GAP = new RegExp(`(?:[^\\S\\r\\n]|[${INVISIBLE}])*`, "y");
const END = /$|[\r\n]/y;
const SPACE = /\s/;
const IGNORED = new RegExp(`[${INVISIBLE}]`);
const PATTERN = /\/((?:\\.|[^/\\\r\n])+)\/(i?)(?=\s|$)/y;
const LONG_DASH = /[–—―]-?(?=\p{L})/uy;
const ESCAPED = /\\([\s\S])/y;

/** Everything that opens a quote, and the whole of it. Typographic ones close with any of their kind. */
const QUOTES: readonly {
  readonly opening: RegExp;
  readonly whole: RegExp;
  readonly content: (inner: string) => string;
}[] = [
  { opening: /'/y, whole: /'([^']*)'/y, content: (inner) => inner },
  { opening: /"/y, whole: /"((?:\\[\s\S]|[^"\\])*)"/y, content: (inner) => inner.replaceAll(/\\(["\\$`])/g, "$1") },
  { opening: /[“”„‟]/y, whole: /[“”„‟]([^"“”„‟]*)["“”„‟]/y, content: asTyped },
  // In ‘don’t stop’ only the last one closes.
  { opening: /[‘‚‛]/y, whole: /[‘‚‛]([\s\S]*?)['‘’‛](?![\p{L}\p{N}])/uy, content: asTyped },
];

/** Splits the first line of `line`; a line break inside quotes belongs to the word. Never throws. */
export function splitWords(line: string): Split {
  const words: Word[] = [];
  let position = 0;
  for (;;) {
    position = matchAt(GAP, line, position)?.end ?? position;
    if (matchAt(END, line, position) !== undefined) return { kind: "words", words };
    const pattern = matchAt(PATTERN, line, position);
    if (pattern !== undefined) {
      words.push(patternWord(pattern, position));
      position = pattern.end;
      continue;
    }
    const read = readWord(line, position);
    if (read.kind === "unclosed") return read;
    words.push(toWord(read, position));
    position = read.end;
  }
}

interface ReadWord {
  readonly kind: "read";
  readonly text: string;
  /** The part of the text before the first quote or backslash. */
  readonly plain: string;
  readonly end: number;
}

function readWord(line: string, start: number): ReadWord | (Split & { kind: "unclosed" }) {
  const dash = matchAt(LONG_DASH, line, start);
  let text = dash === undefined ? "" : "--";
  let position = dash?.end ?? start;
  let plain: string | undefined;
  // A quote opens at the start of a word, behind "=", and right behind another quoted part: 'it'\''s'. Elsewhere, as in
  // don't, it is a letter like any other.
  let mayOpen = dash === undefined;
  while (position < line.length && !SPACE.test(line.charAt(position))) {
    const escaped = matchAt(ESCAPED, line, position);
    const quote = mayOpen ? QUOTES.find(({ opening }) => matchAt(opening, line, position) !== undefined) : undefined;
    if (escaped !== undefined) {
      plain ??= text;
      text += escaped.groups[0];
      position = escaped.end;
      mayOpen = true;
    } else if (quote !== undefined) {
      const whole = matchAt(quote.whole, line, position);
      if (whole === undefined) return { kind: "unclosed", from: position };
      plain ??= text;
      text += quote.content(whole.groups[0] ?? "");
      position = whole.end;
    } else {
      const character = line.charAt(position);
      if (!IGNORED.test(character)) {
        text += asTyped(character);
        mayOpen = character === "=";
      }
      position += 1;
    }
  }
  return { kind: "read", text, plain: plain ?? text, end: position };
}

function toWord({ text, plain }: ReadWord, start: number): Word {
  const flag = /^--([a-z][a-z0-9-]*)(=|$)/i.exec(plain);
  const name = flag?.[1];
  if (name !== undefined) {
    const hasValue = flag?.[2] === "=";
    // --no\ cache is text: only what is written out is a flag.
    if (hasValue || plain === text) {
      return {
        kind: "flag",
        text,
        start,
        name: name.toLowerCase(),
        value: hasValue ? text.slice(name.length + 3) : undefined,
      };
    }
  }
  const key = /^([A-Za-z_][A-Za-z0-9_.-]*)=/.exec(plain)?.[1];
  return key === undefined
    ? { kind: "text", text, start }
    : { kind: "pair", text, start, key, value: text.slice(key.length + 1) };
}

function patternWord({ text, groups: [inner = "", flags] }: Match, start: number): Word {
  return { kind: "pattern", text, start, source: inner.replaceAll("\\/", "/"), ignoreCase: flags === "i" };
}

/** Typographic quotes as the keyboard has them. */
function asTyped(text: string): string {
  return text.replaceAll(/[‘’‚‛]/g, "'").replaceAll(/[“”„‟]/g, '"');
}

interface Match {
  readonly text: string;
  readonly groups: readonly string[];
  readonly end: number;
}

/** What a sticky expression matches exactly at `position`. */
function matchAt(expression: RegExp, line: string, position: number): Match | undefined {
  expression.lastIndex = position;
  const match = expression.exec(line);
  if (match === null) return undefined;
  const [text, ...groups] = match;
  return { text, groups, end: position + text.length };
}
