/** A badge: what it is about on dark grey, the answer on the colour of its state, with the sign that says the same without colour. */
import { html, raw } from "hono/html";
import { MARKS } from "../../charts/marks.ts";
import type { Tone } from "../../chat/reply.ts";

const HEIGHT = 20;
/** Rounded by path and not by a clip, whose id would be everybody's where a page has several badges in it. */
const CORNER = 3;
const SIDE = HEIGHT - 2 * CORNER;
const PAD = 6;
const SIGN = 14;
const BASELINE = 14;
const LABEL_COLOUR = "#3d4450";
/** For what is not known: no state of a build. */
const UNKNOWN_COLOUR = "#5c6470";

export interface Badge {
  readonly label: string;
  readonly message: string;
  /** Missing: there is no answer. */
  readonly tone?: Tone;
}

export async function badgeSvg({ label, message, tone }: Badge): Promise<string> {
  const signed = tone !== undefined && tone !== "info";
  const left = width(label) + 2 * PAD;
  const right = width(message) + 2 * PAD + (signed ? SIGN : 0);
  const whole = left + right;
  const colour = tone === undefined ? UNKNOWN_COLOUR : MARKS[tone].colour;
  const said = `${label}: ${message}`;
  const sign = signed
    ? html`<g transform="translate(${left + PAD + 4} ${HEIGHT / 2}) scale(5)" color="#ffffff">${raw(MARKS[tone].shape)}</g>`
    : "";
  const text = (x: number, what: string) =>
    html`<text x="${x}" y="${BASELINE}" textLength="${width(what)}" lengthAdjust="spacingAndGlyphs">${what}</text>`;
  return String(
    await html`<svg xmlns="http://www.w3.org/2000/svg" width="${whole}" height="${HEIGHT}" viewBox="0 0 ${whole} ${HEIGHT}" role="img" aria-label="${said}"><title>${said}</title><path fill="${LABEL_COLOUR}" d="M${left} 0H${CORNER}a${CORNER} ${CORNER} 0 0 0-${CORNER} ${CORNER}v${SIDE}a${CORNER} ${CORNER} 0 0 0 ${CORNER} ${CORNER}H${left}z"/><path fill="${colour}" d="M${left} 0h${right - CORNER}a${CORNER} ${CORNER} 0 0 1 ${CORNER} ${CORNER}v${SIDE}a${CORNER} ${CORNER} 0 0 1-${CORNER} ${CORNER}H${left}z"/>${sign}<g fill="#ffffff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(PAD, label)}${text(left + PAD + (signed ? SIGN : 0), message)}</g></svg>`,
  );
}

/** About what Verdana takes at 11 pixels; `textLength` makes every font fit it. */
function width(text: string): number {
  return Math.ceil([...text].reduce((sum, character) => sum + widthOf(character), 0));
}

function widthOf(character: string): number {
  if (/[ijl.,:|!' ]/.test(character)) return 4;
  if (/[mwMW%@]/.test(character)) return 10.5;
  if (/[frt]/.test(character)) return 4.7;
  return /[A-Z]/.test(character) ? 8 : 6.9;
}
