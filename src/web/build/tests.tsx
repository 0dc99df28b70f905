/** The tests of a build: what failed and what it said, and how that compares with the build before. */
import type { Build } from "../../builds/build.ts";
import { plainText } from "../../builds/plain-text.ts";
import type { ComparedTests } from "../../results/compare-tests.ts";
import type { TestComparison, TestSummary } from "../../results/summary.ts";
import { mergeSummaries } from "../../results/tally.ts";
import { type FailingTest, type TestName, testLabel } from "../../results/test-case.ts";
import { comparisonWords, flakyWords } from "../../results/test-words.ts";
import { formatCount, formatDuration } from "../../units.ts";
import { type Bar, Page } from "../shell.tsx";

/** So many stand open, so that the first answer needs no click. */
const OPEN = 3;

/** Of a build under way, what its steps that are over came to. */
export function summaryOf(build: Build): TestSummary | undefined {
  if (build.results?.tests !== undefined) return build.results.tests;
  const steps = build.steps.flatMap(({ tests }) => tests ?? []);
  return steps.length === 0 ? undefined : mergeSummaries(steps);
}

/** `2 of 1,204 tests failed, 3 skipped` */
function countsOf({ total, failed, skipped }: TestSummary): string {
  const tests = `${formatCount(total)} ${total === 1 ? "test" : "tests"}`;
  const said = failed === 0 ? `${tests}, none failed` : `${formatCount(failed)} of ${tests} failed`;
  return skipped === 0 ? said : `${said}, ${formatCount(skipped)} skipped`;
}

const Comparison = ({ comparison }: { comparison: TestComparison | undefined }) =>
  comparison === undefined ? null : (
    <p>
      Compared with <a href={`/builds/${comparison.against}`}>#{comparison.against}</a>: {comparisonWords(comparison)}
    </p>
  );

const Failing = ({ tests, open = 0 }: { tests: readonly FailingTest[]; open?: number }) => (
  <>
    {tests.map((test, index) => (
      <details class="failing" open={index < open}>
        <summary>
          <span class="state failed" aria-hidden="true">
            ✘
          </span>{" "}
          {testLabel(test)}
        </summary>
        {test.file === undefined ? null : (
          <p>
            <code>
              {test.file}
              {test.line === undefined ? "" : `:${test.line}`}
            </code>
          </p>
        )}
        {test.message === undefined ? (
          <p>Its report says no more.</p>
        ) : (
          <pre tabindex={0}>{test.message.split("\n").map(plainText).join("\n")}</pre>
        )}
      </details>
    ))}
  </>
);

export const Tests = ({ build }: { build: Build }) => {
  const summary = summaryOf(build);
  if (summary === undefined) return null;
  const left = summary.failed - summary.failing.length;
  const flaky = flakyWords(summary);
  return (
    <section aria-labelledby="tests">
      <h2 id="tests">Tests</h2>
      <p>
        {countsOf(summary)} · <a href={`/builds/${build.number}/tests`}>all about them</a>
      </p>
      <Comparison comparison={build.results?.comparison} />
      {flaky === "" ? null : <p>{flaky}</p>}
      <Failing tests={summary.failing} open={OPEN} />
      {left > 0 ? <p>and {formatCount(left)} more</p> : null}
    </section>
  );
};

interface TestsPageProps {
  readonly build: Build;
  readonly summary: TestSummary;
  /** Undefined where there is nothing to compare with, or it is not kept any more. */
  readonly compared: ComparedTests | undefined;
  readonly failing: readonly FailingTest[];
  readonly bar: Bar;
}

/** `/builds/:n/tests` */
export const TestsPage = ({ build, summary, compared, failing, bar }: TestsPageProps) => (
  <Page title={`${countsOf(summary)} · ${build.project} #${build.number}`} bar={bar}>
    <h1>
      Tests of{" "}
      <a href={`/builds/${build.number}`}>
        {build.project} #{build.number}
      </a>
    </h1>
    <p>{countsOf(summary)}</p>
    <Comparison comparison={build.results?.comparison} />
    {compared === undefined ? (
      <Group title="Failing" count={summary.failed}>
        <Failing tests={failing} open={OPEN} />
      </Group>
    ) : (
      <>
        <Group title="Newly failing" count={compared.counts.newlyFailing}>
          <Failing tests={compared.newlyFailing} open={OPEN} />
        </Group>
        <Group title="Still failing" count={compared.counts.stillFailing}>
          <Failing tests={compared.stillFailing} />
        </Group>
        <Names title="Fixed" count={compared.counts.fixed} tests={compared.fixed} />
        <Names title="New" count={compared.counts.added} tests={compared.added} />
        <Names title="Gone" count={compared.counts.gone} tests={compared.gone} />
      </>
    )}
    <Names title="Flaky" count={summary.flaky.length} tests={summary.flaky} />
    {summary.slowest.length === 0 ? null : (
      <>
        <h2>Slowest</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">Test</th>
              <th scope="col" class="number">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {summary.slowest.map((test) => (
              <tr>
                <td>{testLabel(test)}</td>
                <td class="number">{shortDuration(test.durationMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </>
    )}
  </Page>
);

const Group = ({ title, count, children }: { title: string; count: number; children?: unknown }) =>
  count === 0 ? null : (
    <>
      <h2>
        {title} <span class="quiet">{formatCount(count)}</span>
      </h2>
      {children}
    </>
  );

const Names = ({ title, count, tests }: { title: string; count: number; tests: readonly TestName[] }) =>
  count === 0 ? null : (
    <>
      <h2>
        {title} <span class="quiet">{formatCount(count)}</span>
      </h2>
      <ul>
        {tests.map((test) => (
          <li>{testLabel(test)}</li>
        ))}
        {count > tests.length ? <li>and {formatCount(count - tests.length)} more</li> : null}
      </ul>
    </>
  );

/** Many tests take less than what `formatDuration` tells apart. */
function shortDuration(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : formatDuration(ms);
}
