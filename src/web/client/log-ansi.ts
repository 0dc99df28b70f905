/** A line of a log as a terminal would show it: stretches of text with their colours (ECMA-48, 8.3.117); nothing else has effect. */

export interface Stretch {
  readonly text: string;
  /** Class names of style.ts: `b a1`. */
  readonly classes: string;
  /** Of the palette of 256 or given in full; the sixteen are classes. */
  readonly colour: Rgb | undefined;
  readonly background: Rgb | undefined;
}

export type Rgb = readonly [red: number, green: number, blue: number];

/** Control sequences, those with strings too, and what stands behind the escape of any other. Group 1: of a colour. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const SEQUENCES = /\x1b(?:\[([\d;:]*)m|\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes out
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** A longer line is cut; the raw text has all of it. */
const SHOWN_LENGTH = 4_096;

interface Pen {
  readonly marks: ReadonlySet<string>;
  readonly colour: number | Rgb | undefined;
  readonly background: number | Rgb | undefined;
}

const PLAIN: Pen = { marks: new Set(), colour: undefined, background: undefined };
const MARK_OF: Readonly<Record<number, string>> = { 1: "b", 2: "d", 3: "i", 4: "u", 9: "s" };
const ENDS: Readonly<Record<number, readonly string[]>> = { 22: ["b", "d"], 23: ["i"], 24: ["u"], 29: ["s"] };

/** Of a line that was drawn over (`\r`) the last state. Colours begin anew with every line. */
export function stretchesOf(line: string): Stretch[] {
  const last = line.slice(line.replace(/\r+$/, "").lastIndexOf("\r") + 1);
  const found: Stretch[] = [];
  let pen = PLAIN;
  let at = 0;
  let room = SHOWN_LENGTH;
  const put = (raw: string): void => {
    const text = raw.replaceAll("\t", "    ").replace(CONTROLS, "").slice(0, room);
    room -= text.length;
    if (text !== "") found.push(stretch(text, pen));
  };
  for (const sequence of last.matchAll(SEQUENCES)) {
    put(last.slice(at, sequence.index));
    at = sequence.index + sequence[0].length;
    if (sequence[1] !== undefined) pen = applied(pen, sequence[1]);
    if (room <= 0) break;
  }
  put(last.slice(at));
  if (room <= 0) found.push(stretch(" … cut", PLAIN));
  return found;
}

function stretch(text: string, { marks, colour, background }: Pen): Stretch {
  const named = typeof colour === "number" && colour < 16 ? [`a${colour}`] : [];
  return {
    text,
    classes: [...marks, ...named].join(" "),
    colour: typeof colour === "number" ? (colour < 16 ? undefined : paletteColour(colour)) : colour,
    background: typeof background === "number" ? paletteColour(background) : background,
  };
}

function applied(before: Pen, parameters: string): Pen {
  let pen = before;
  const codes = parameters.split(/[;:]/).map(Number);
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    const mark = MARK_OF[code];
    if (code === 0) pen = PLAIN;
    else if (mark !== undefined) pen = { ...pen, marks: new Set([...pen.marks, mark]) };
    else if (ENDS[code] !== undefined) {
      pen = { ...pen, marks: new Set([...pen.marks].filter((each) => ENDS[code]?.includes(each) !== true)) };
    } else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(at + 1));
      at += used;
      pen = code === 38 ? { ...pen, colour } : { ...pen, background: colour };
    } else pen = basic(pen, code);
  }
  return pen;
}

function basic(pen: Pen, code: number): Pen {
  if (code >= 30 && code <= 37) return { ...pen, colour: code - 30 };
  if (code >= 90 && code <= 97) return { ...pen, colour: code - 82 };
  if (code === 39) return { ...pen, colour: undefined };
  if (code >= 40 && code <= 47) return { ...pen, background: code - 40 };
  if (code >= 100 && code <= 107) return { ...pen, background: code - 92 };
  return code === 49 ? { ...pen, background: undefined } : pen;
}

/** `5;208` or `2;255;128;0`, and how many numbers that were. */
function extended([kind, a = 0, b = 0, c = 0]: readonly number[]): [Rgb | number | undefined, number] {
  const byte = (value: number): number => Math.min(255, Math.max(0, Math.trunc(value) || 0));
  if (kind === 5) return [byte(a), 2];
  if (kind === 2) return [[byte(a), byte(b), byte(c)], 4];
  return [undefined, 1];
}

const SIXTEEN: readonly Rgb[] = [
  ...([
    [0, 0, 0],
    [170, 0, 0],
    [0, 120, 0],
    [150, 100, 0],
    [0, 60, 170],
    [140, 0, 140],
    [0, 120, 130],
    [190, 190, 190],
  ] as const),
  ...([
    [90, 90, 90],
    [255, 85, 85],
    [85, 200, 85],
    [240, 220, 90],
    [100, 140, 255],
    [240, 110, 240],
    [90, 220, 220],
    [255, 255, 255],
  ] as const),
];

/** xterm's: sixteen, a cube of six by six by six, and 24 greys. */
function paletteColour(index: number): Rgb {
  const named = SIXTEEN[index];
  if (named !== undefined) return named;
  if (index >= 232) {
    const grey = (index - 232) * 10 + 8;
    return [grey, grey, grey];
  }
  const level = (value: number): number => (value === 0 ? 0 : value * 40 + 55);
  const cube = index - 16;
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)];
}

/** The colour, made darker or lighter until it can be read (4.5:1) on the page, a line that is chosen too. */
export function legible(colour: Rgb, isDark: boolean): Rgb {
  const paper = isDark ? 0.03 : 0.84;
  let shown = colour;
  for (let turn = 0; turn < 20 && contrast(luminance(shown), paper) < 4.5; turn += 1) {
    const [red, green, blue] = shown;
    const mixed = (value: number): number => Math.round(isDark ? value + (255 - value) * 0.15 : value * 0.85);
    shown = [mixed(red), mixed(green), mixed(blue)];
  }
  return shown;
}

/** Black or white, whichever is read better on it. */
export function inkOn(background: Rgb): Rgb {
  return luminance(background) > 0.18 ? [0, 0, 0] : [255, 255, 255];
}

function contrast(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** WCAG's relative luminance. */
function luminance([red, green, blue]: Rgb): number {
  const linear = (value: number): number => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
