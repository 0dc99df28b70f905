/** The signs of FACE.md as shapes, so that neither colour nor a font is needed to tell a failed build from a passed one. */
import type { Tone } from "../chat/reply.ts";

export interface Mark {
  readonly colour: string;
  /** What a legend says. */
  readonly word: string;
  /** Drawn in a square from -1,-1 to 1,1. */
  readonly shape: string;
}

const stroke = (path: string): string =>
  `<path d="${path}" fill="none" stroke="currentColor" stroke-width="0.5" stroke-linecap="round" stroke-linejoin="round"/>`;
const circle = (attributes: string): string => `<circle r="0.75" ${attributes}/>`;

const DOT = circle('fill="currentColor"');

/** The colours are those of the pages (web/style.ts), all of at least 4.5:1 on white. */
export const MARKS: Readonly<Record<Tone, Mark>> = {
  passed: { colour: "#1a7337", word: "passed", shape: stroke("M-0.8 0.1 L-0.25 0.7 L0.8 -0.7") },
  failed: { colour: "#b3261e", word: "failed", shape: stroke("M-0.65 -0.65 L0.65 0.65 M-0.65 0.65 L0.65 -0.65") },
  errored: {
    colour: "#7f5600",
    word: "could not run",
    shape: '<path d="M0 -0.9 L0.95 0.8 L-0.95 0.8 Z" fill="currentColor"/>',
  },
  cancelled: {
    colour: "#5c6470",
    word: "cancelled",
    shape: '<rect x="-0.7" y="-0.7" width="1.4" height="1.4" fill="currentColor"/>',
  },
  running: { colour: "#0b57a4", word: "running", shape: DOT },
  queued: { colour: "#0b6b75", word: "queued", shape: circle('fill="none" stroke="currentColor" stroke-width="0.4"') },
  info: { colour: "#0b57a4", word: "", shape: DOT },
  refused: { colour: "#5c6470", word: "", shape: DOT },
};

/** The sign with its centre there, `radius` pixels from the centre to the edge. */
export function drawMark(tone: Tone, x: number, y: number, radius: number): string {
  const { colour, shape } = MARKS[tone];
  return `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${radius})" color="${colour}">${shape}</g>`;
}
