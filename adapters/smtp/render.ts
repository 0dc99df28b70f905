/** A reply as a mail: a subject that says it all, and text and HTML with the same facts. */
import { type Action, type Line, lineText, type Reply, SIGNS, type Tone } from "../../src/chat/reply.ts";
import { asPrinted, cut, escapeHtml, isWebLink, oneLine } from "./text.ts";

/** Longer ones are cut by mail programs anyway, and a header line may not pass 998 bytes (RFC 5322, 2.1.1). */
const SUBJECT_LENGTH = 120;
const PREFIX = "[docker-ci]";

const COLOURS: Readonly<Record<Tone, string>> = {
  passed: "#1a7f37",
  failed: "#cf222e",
  errored: "#9a6700",
  cancelled: "#6e7781",
  running: "#0969da",
  queued: "#0969da",
  info: "",
  refused: "",
};

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export function renderMail(given: Reply): RenderedMail {
  const { verbatim = [], details = [] } = given;
  const between = verbatim.length > 0 && details.length > 0 ? [""] : [];
  const reply = { ...given, verbatim: [...details, ...between, ...verbatim] };
  return { subject: subjectOf(reply), text: textOf(reply), html: htmlOf(reply) };
}

/**
 * `[docker-ci] docker-registry #43 failed: TestBlobUpload`: the first fact without its time, and of a failure what failed, which
 * FACE.md puts third, after revision and author.
 */
function subjectOf({ lines }: Reply): string {
  const [first] = lines;
  const facts = (first?.facts ?? []).map(oneLine).filter((fact) => fact !== "");
  const what = (facts[0] ?? "").replace(/ in (?:\d+(?:\.\d+)?[smhd])(?:\d+[smhd])?$/, "");
  const failed = first?.tone === "failed" ? facts[2]?.replace(/^[\d,]+ of [\d,]+ tests?: /, "") : undefined;
  return cut([PREFIX, what].join(" ") + (failed === undefined ? "" : `: ${failed}`), SUBJECT_LENGTH);
}

function textOf({ lines, verbatim = [], actions = [] }: Reply): string {
  const paragraphs = [
    ...lines.map(({ link, ...line }) => [oneLine(lineText(line)), ...(link === undefined ? [] : [oneLine(link)])]),
    ...(verbatim.length === 0 ? [] : [verbatim.map(asPrinted)]),
    ...links(actions, lines).map(({ label, link }) => [`${oneLine(label)}: ${oneLine(link)}`]),
  ];
  return `${paragraphs.map((paragraph) => paragraph.join("\n")).join("\n\n")}\n`;
}

function htmlOf({ lines, verbatim = [], actions = [] }: Reply): string {
  const font = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px";
  const pre =
    verbatim.length === 0
      ? []
      : [
          `<pre style="${font};background:#f6f8fa;padding:12px;white-space:pre-wrap;overflow-wrap:anywhere">${escapeHtml(verbatim.map(asPrinted).join("\n"))}</pre>`,
        ];
  const more = links(actions, lines).map(({ label, link }) => anchor(link, oneLine(label)));
  return [
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"></head>',
    '<body style="font-family:system-ui,sans-serif;font-size:14px;color:#1f2328">',
    ...lines.map(htmlLine),
    ...pre,
    ...(more.length === 0 ? [] : [`<p>${more.join(" · ")}</p>`]),
    "</body></html>",
  ].join("\n");
}

function htmlLine({ tone, facts, link }: Line): string {
  const text = escapeHtml(facts.map(oneLine).join(" · "));
  const sign = SIGNS[tone] === "" ? "" : `<span style="color:${COLOURS[tone]}">${SIGNS[tone]}</span> `;
  return `<p>${sign}${text}${link === undefined ? "" : `<br>${anchor(link, oneLine(link))}`}</p>`;
}

/** Whatever else an address may begin with is shown and cannot be clicked. */
function anchor(link: string, label: string): string {
  if (!isWebLink(link)) return escapeHtml(label);
  return `<a href="${escapeHtml(oneLine(link))}">${escapeHtml(label)}</a>`;
}

/** What a mail can offer of what can be done: pages that no line has pointed at already. Commands are for chats. */
function links(actions: readonly Action[], lines: readonly Line[]): { label: string; link: string }[] {
  const told = new Set(lines.map(({ link }) => link));
  return actions.flatMap((action) => ("link" in action && !told.has(action.link) ? [action] : []));
}
