/** One build in the waterfall: its number and state, what there is to say of it in two or three lines, and whose it is. */
import { raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { type Build, durationMs, isFinished } from "../../builds/build.ts";
import { SHORT_SHA, shortTitle } from "../../builds/describe.ts";
import { branchOf, type ExpectedTimes } from "../../builds/expected.ts";
import type { Forecast, WaitsFor } from "../../builds/forecast.ts";
import { SIGNS } from "../../chat/reply.ts";
import { formatCount, formatDuration } from "../../units.ts";
import { wordOf } from "../shell.tsx";

const REASON_LENGTH = 60;

/** What is known of builds that are not over. */
export interface UnderWay {
  readonly now: Date;
  expected(build: Build): ExpectedTimes | undefined;
  forecast(build: Build): Forecast | undefined;
}

interface BlockProps {
  readonly build: Build;
  /** Of the column that it stands in, where that says it. */
  readonly branch: string | undefined;
  readonly underWay: UnderWay;
}

/** What a build that is over looks like, and in which branch's column; the records give the same object again (recent-builds.ts). */
const drawn = new WeakMap<Build, { readonly branch: string | undefined; readonly html: HtmlEscapedString }>();

export const BuildBlock = (props: BlockProps) => {
  const { build, branch } = props;
  if (!isFinished(build)) return <Block {...props} />;
  const known = drawn.get(build);
  if (known !== undefined && known.branch === branch) return known.html;
  const html = raw(<Block {...props} />);
  drawn.set(build, { branch, html });
  return html;
};

const Block = (props: BlockProps) => {
  const { build, branch, underWay } = props;
  const { state } = build;
  const own = branchOf(build);
  return (
    <>
      <a href={`/builds/${build.number}`}>
        <span class="narrow">{build.project} </span>#{build.number}
      </a>{" "}
      <span class={`state ${state.kind}`}>
        <span aria-hidden="true">{SIGNS[state.kind]}</span> {wordOf(state.kind)}
      </span>
      <span class="facts">{factsOf(build, underWay)}</span>
      {state.kind === "running" ? <Progress build={build} startedAt={state.startedAt} underWay={underWay} /> : null}
      {own === branch ? null : <code class="facts">{own}</code>}
      {build.revision === undefined ? null : (
        <span class="facts narrow">
          {build.revision.author} <code>{build.revision.sha.slice(0, SHORT_SHA)}</code>{" "}
          {shortTitle(build.revision.title)}
        </span>
      )}
    </>
  );
};

function factsOf(build: Build, { now, forecast }: UnderWay): string {
  const { state } = build;
  switch (state.kind) {
    case "queued": {
      const told = forecast(build);
      const place = told === undefined || told.before === 0 ? "next in line" : `${told.before} before it`;
      const line = told?.waitsFor === undefined ? place : waitsWords(told.waitsFor);
      return told?.beginsInMs === undefined ? line : `${line}, begins in ${formatDuration(told.beginsInMs)}`;
    }
    case "running": {
      const elapsed = formatDuration(now.getTime() - Date.parse(state.startedAt));
      return `${state.step?.name ?? "fetching"} · ${elapsed}`;
    }
    case "passed":
      return lengthOf(build);
    case "failed": {
      const failed = build.results?.tests?.failed ?? 0;
      const what = failed > 0 ? `${formatCount(failed)} ${failed === 1 ? "test" : "tests"}` : shortened(state.reason);
      return `${what} · ${lengthOf(build)}`;
    }
    case "errored":
      return shortened(state.reason);
    case "cancelled":
      return `by ${shortened(state.by)}`;
    default:
      return state satisfies never;
  }
}

/** As short as a column is narrow; `!queue` says it in whole. */
function waitsWords(waitsFor: WaitsFor): string {
  if (waitsFor.kind === "paused") return `paused by ${shortened(waitsFor.pause.by)}`;
  if (waitsFor.kind === "held") return shortened(waitsFor.reason);
  return waitsFor.kind === "worker"
    ? `waits for ${shortened(waitsFor.labels.join(", "))}`
    : `waits for #${waitsFor.number}`;
}

function lengthOf(build: Build): string {
  return isFinished(build) ? formatDuration(durationMs(build)) : "";
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= REASON_LENGTH ? text : `${characters.slice(0, REASON_LENGTH - 1).join("")}…`;
}

const Progress = (props: { build: Build; startedAt: string; underWay: UnderWay }) => {
  const { now, expected, forecast } = props.underWay;
  const times = expected(props.build);
  const endsInMs = forecast(props.build)?.endsInMs;
  if (times === undefined || endsInMs === undefined) return null;
  const elapsedMs = Math.max(0, now.getTime() - Date.parse(props.startedAt));
  const percent = Math.min(99, Math.round((100 * elapsedMs) / Math.max(1, elapsedMs + endsInMs)));
  const left = endsInMs === 0 ? "longer than usual" : `about ${formatDuration(endsInMs)} left`;
  return (
    <span class="facts">
      <progress max={100} value={percent} aria-label={`#${props.build.number}, ${percent}%`} /> {left}
    </span>
  );
};
