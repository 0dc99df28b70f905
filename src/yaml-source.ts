/** A YAML file as values, and where in it each of them stands. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { formatBytes, formatCount } from "./units.ts";

export interface YamlSource {
  /** Plain values; an empty file is an empty mapping. */
  readonly value: unknown;
  readonly document: Document;
  readonly lines: LineCounter;
}

/** No file that a person writes for us is larger; the parser's memory is a multiple of it. */
const MAX_CHARACTERS = 1024 * 1024;
/** Checking one takes longer than reading it. */
const MAX_VALUES = 50_000;
/** Enough for shared defaults, too few for a "billion laughs". */
const MAX_ALIASES = 100;
/** One slip makes the parser stumble over many of the lines behind it. */
const MAX_COMPLAINTS = 5;

/** Never throws; problems are whole lines. */
export function readSource(
  text: string,
  file: string,
  maxCharacters = MAX_CHARACTERS,
): YamlSource | { readonly problems: readonly string[] } {
  if (text.length > maxCharacters)
    return { problems: [`${file}: larger than allowed (${formatBytes(maxCharacters)})`] };
  const lines = new LineCounter();
  try {
    // The parser compares each key with each: `oddKeys` does it for ten thousand of them too.
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: false });
    if (countValues(document) > MAX_VALUES) {
      return { problems: [`${file}: more values than allowed (${formatCount(MAX_VALUES)})`] };
    }
    const complaints = [
      ...[...document.errors, ...document.warnings].map((complaint) => ({
        offset: complaint.pos[0],
        message: complaintText(complaint),
      })),
      ...oddKeys(document),
    ].map(({ offset, message }) => ({ line: lines.linePos(offset).line, message }));
    if (complaints.length > 0) return { problems: complaintLines(complaints, file) };
    keepNumbersAsWritten(document);
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    return { value, document, lines };
  } catch (error) {
    // An alias without an anchor, too many aliases, or brackets nested deeper than the stack.
    if (!(error instanceof Error)) throw error;
    return { problems: [`${file}: ${error instanceof RangeError ? "nested too deeply" : oneLine(error.message)}`] };
  }
}

/**
 * The line of a key, or of the nearest key around it that is in the file; `undefined` when not even the first part of the path is.
 */
export function lineOf({ document, lines }: YamlSource, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset = path.length === 0 ? offsetOf(node) : undefined;
  for (const part of path) {
    const collection: unknown = isAlias(node) ? node.resolve(document) : node;
    if (!isCollection(collection)) break;
    const item: unknown = isMap(collection)
      ? collection.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(part))
      : collection.items[Number(part)];
    if (item === undefined) break;
    offset = (isPair(item) ? offsetOf(item.key) : offsetOf(item)) ?? offset;
    node = isPair(item) ? item.value : item;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isCollection(node) || isAlias(node) ? node.range?.[0] : undefined;
}

function countValues(document: Document): number {
  let count = 0;
  visit(document, {
    Value() {
      count += 1;
    },
  });
  return count;
}

/** Keys that would be lost or changed on the way to plain values, and checked by nobody. */
function oddKeys(document: Document): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Map(_key, { items }) {
      const known = new Set<string>();
      for (const { key } of items) {
        // What is merged may be several mappings.
        if (!isScalar(key) || key.source === "<<") continue;
        const name = String(key.value);
        if (known.has(name)) {
          found.push({ offset: offsetOf(key) ?? 0, message: `the key ${name} stands twice in one mapping` });
        }
        known.add(name);
      }
    },
    Pair(_key, { key }) {
      if (isScalar(key) && key.value !== "__proto__") return;
      const offset = offsetOf(key) ?? 0;
      found.push({
        offset,
        message: isScalar(key) ? "no key can have the name __proto__" : "a key must be plain text",
      });
    },
  });
  return found;
}

/** `1.20` is no number for whoever wrote it as a version: what would not print as it was written stays text. */
function keepNumbersAsWritten(document: Document): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === "number" && node.source !== undefined && String(node.value) !== node.source) {
        node.value = node.source;
      }
    },
  });
}

function complaintLines(complaints: readonly { line: number; message: string }[], file: string): string[] {
  const firstOfLine = [...new Map(complaints.toReversed().map((complaint) => [complaint.line, complaint])).values()];
  const shown = firstOfLine.sort((a, b) => a.line - b.line).slice(0, MAX_COMPLAINTS);
  return shown.map(({ line, message }) => `${file}:${line}: ${message}`);
}

function complaintText({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS") return "a second document begins here, allowed: one";
  return `not valid YAML: ${oneLine(message)}`;
}

function oneLine(message: string): string {
  return message.replaceAll(/\s*\n\s*/g, " ").trim();
}
