/** `/builds/:n/log/view`: a log a piece at a time, for browsers without scripts. */
import type { Build } from "../../builds/build.ts";
import type { LogLine } from "../../builds/log-files.ts";
import type { LogMatches } from "../../builds/log-outline.ts";
import { plainText } from "../../builds/plain-text.ts";
import { formatCount } from "../../units.ts";
import { type Bar, Page } from "../shell.tsx";

const SHOWN_LENGTH = 4_096;

interface LogPageProps {
  readonly build: Build;
  readonly lines: readonly LogLine[];
  readonly from: number;
  /** Of the whole log. */
  readonly count: number;
  readonly step: number;
  readonly bar: Bar;
}

export const LogPage = ({ build, lines, from, count, step, bar }: LogPageProps) => {
  const last = lines.at(-1)?.number ?? 0;
  const path = `/builds/${build.number}/log/view`;
  return (
    <Page title={`Log of ${build.project} #${build.number}`} bar={bar}>
      <Heading build={build} />
      <Search build={build} words="" />
      <nav class="pager" aria-label="Pieces of the log">
        {from > 1 ? <a href={`${path}?from=${Math.max(1, from - step)}`}>earlier</a> : null}
        <span>
          lines {formatCount(Math.min(from, last))} to {formatCount(last)} of {formatCount(count)}
        </span>
        {last < count ? <a href={`${path}?from=${last + 1}`}>later</a> : null}
        {last < count ? <a href={path}>last</a> : null}
        {from > 1 ? <a href={`${path}?from=1`}>first</a> : null}
      </nav>
      <Lines lines={lines} link={(number) => `#L${number}`} />
    </Page>
  );
};

interface FoundPageProps {
  readonly build: Build;
  readonly words: string;
  readonly found: LogMatches;
  readonly bar: Bar;
}

export const FoundPage = ({ build, words, found, bar }: FoundPageProps) => (
  <Page title={`${formatCount(found.count)} found in the log of ${build.project} #${build.number}`} bar={bar}>
    <Heading build={build} />
    <Search build={build} words={words} />
    <p>
      {found.count === 0 ? "No line has it." : `${formatCount(found.count)} ${found.count === 1 ? "line" : "lines"}`}
      {found.count > found.lines.length ? `, the first ${formatCount(found.lines.length)} of them:` : ""}
    </p>
    <Lines lines={found.lines} link={(number) => logViewLink(build.number, number)} />
  </Page>
);

/** Where a line stands with those around it. */
export function logViewLink(build: number, line: number): string {
  return `/builds/${build}/log/view?from=${Math.max(1, line - 10)}#L${line}`;
}

const Heading = ({ build }: { build: Build }) => (
  <>
    <h1>
      Log of{" "}
      <a href={`/builds/${build.number}`}>
        {build.project} #{build.number}
      </a>
    </h1>
    <p>
      <a href={`/builds/${build.number}/log`}>All of it as text</a>
    </p>
  </>
);

const Search = ({ build, words }: { build: Build; words: string }) => (
  <form class="row" action={`/builds/${build.number}/log/view`}>
    <label>
      Search in the log
      <input type="search" name="q" value={words} maxlength={200} />
    </label>
    <button type="submit">Search</button>
  </form>
);

const Lines = ({ lines, link }: { lines: readonly LogLine[]; link: (number: number) => string }) => (
  <section class="scroll" tabindex={0} aria-label="Log">
    <pre class="log-lines">
      {lines.map(({ number, text }) => (
        <span class="log-line" id={`L${number}`}>
          <a href={link(number)}>{number}</a> {plainText(text).slice(0, SHOWN_LENGTH)}
          {"\n"}
        </span>
      ))}
    </pre>
  </section>
);
