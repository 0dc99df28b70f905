/** The waterfall as a table: a column for the time, one for the changes, and the projects'. On a narrow screen it is a list. */
import type { Build } from "../../builds/build.ts";
import { SHORT_SHA, shortTitle } from "../../builds/describe.ts";
import { formatAge } from "../../units.ts";
import { BuildBlock, type UnderWay } from "./block.tsx";
import type { LaidOutColumn, Layout, Row } from "./layout.ts";

interface TableProps {
  readonly layout: Layout;
  readonly timezone: string;
  readonly underWay: UnderWay;
  readonly wallClock: WallClock;
  /** Whether only some of what ran is shown. */
  readonly isFiltered: boolean;
}

/** `Tue 3 Mar` and `17:40`, as a clock on the wall shows them. */
interface Shown {
  readonly day: string;
  readonly time: string;
}
export type WallClock = (ms: number) => Shown;

const MINUTE_MS = 60_000;
/** Formatting times is what the page would spend most on, and every reader gets the same ones. */
const REMEMBERED = 5_000;

export function wallClockOf(timezone: string): WallClock {
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    weekday: "short",
    day: "numeric",
    month: "short",
  });
  const remembered = new Map<number, Shown>();
  return (ms) => {
    const minute = Math.floor(ms / MINUTE_MS);
    const known = remembered.get(minute);
    if (known !== undefined) return known;
    const shown = { day: day.format(ms), time: time.format(ms) };
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(minute, shown);
    return shown;
  };
}

export const WaterfallTable = ({ layout, timezone, underWay, wallClock, isFiltered }: TableProps) => {
  const columns = layout.projects.flatMap((project) => project.columns);
  const lanes = columns.reduce((sum, column) => sum + column.lanes.length, 0);
  const isWaiting = columns.some(({ waiting }) => waiting.length > 0);
  const { rows } = layout;
  return (
    <div class="scroll">
      <table class="waterfall">
        <Head layout={layout} timezone={timezone} />
        <tbody>
          {isWaiting ? <Waiting columns={columns} changes={layout.waitingChanges} underWay={underWay} /> : null}
          {rows.map((row, at) => {
            const above = rows[at - 1];
            return (
              <tr class={row.kind === "time" ? `u${row.units}` : row.kind}>
                <TimeCell row={row} above={above} wallClock={wallClock} />
                <ChangesCell layout={layout} at={at} />
                {row.kind === "quiet" ? (
                  <td colspan={lanes}>
                    {isFiltered ? "nothing like that" : "nothing"} ran for {formatAge(row.toMs - row.fromMs)}
                  </td>
                ) : null}
                {row.kind === "end" ? <td colspan={lanes} class="idle" /> : null}
                {row.kind === "time"
                  ? columns.map((column) => <Lanes column={column} at={at} underWay={underWay} />)
                  : null}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
};

const Head = ({ layout, timezone }: { layout: Layout; timezone: string }) => {
  const hasBranches = layout.projects.some(({ columns }) => columns.length > 1);
  const depth = hasBranches ? 2 : 1;
  return (
    <thead>
      <tr>
        <th scope="col" rowspan={depth}>
          time <span class="zone">{timezone.replace(/^Etc\//, "")}</span>
        </th>
        <th scope="col" rowspan={depth} class="changes">
          changes
        </th>
        {layout.projects.map(({ project, columns }) => (
          <th
            scope={columns.length > 1 ? "colgroup" : "col"}
            colspan={columns.reduce((sum, { lanes }) => sum + lanes.length, 0)}
            rowspan={columns.length > 1 ? 1 : depth}
          >
            <a href={`/projects/${project}`}>{project}</a>
          </th>
        ))}
      </tr>
      {hasBranches ? (
        <tr>
          {layout.projects.flatMap(({ columns }) =>
            columns.length === 1
              ? []
              : columns.map(({ label, lanes }) => (
                  <th scope="col" colspan={lanes.length}>
                    <code>{label}</code>
                  </th>
                )),
          )}
        </tr>
      ) : null}
    </thead>
  );
};

/** When the row's upper edge was. What stands above already is left to those who hear the page. */
const TimeCell = (props: { row: Row; above: Row | undefined; wallClock: WallClock }) => {
  const { day, time } = props.wallClock(props.row.toMs);
  const before = props.above === undefined ? undefined : props.wallClock(props.above.toMs);
  const isNewDay = before?.day !== day;
  const isSame = !isNewDay && before.time === time;
  return (
    <th scope="row" class="time">
      <span class={isSame ? "unseen" : undefined}>
        {isNewDay ? <span class="day">{day} </span> : null}
        {time}
      </span>
    </th>
  );
};

/** One that goes down to the next change, so that its text makes no row higher than it was long. */
const ChangesCell = ({ layout: { rows, changes }, at }: { layout: Layout; at: number }) => {
  const here = changes.get(at) ?? [];
  if (here.length === 0 && at > 0) return null;
  let end = at + 1;
  while (end < rows.length && !changes.has(end)) end += 1;
  return (
    <td class="changes" rowspan={end - at}>
      {here.map((build) => (
        <Change build={build} />
      ))}
    </td>
  );
};

const Change = ({ build: { revision, project, number } }: { build: Build }) =>
  revision === undefined ? null : (
    <a class="change" href={`/builds/${number}`} title={`${project}: ${shortTitle(revision.title)}`}>
      <span>{revision.author}</span> <code>{revision.sha.slice(0, SHORT_SHA)}</code> {shortTitle(revision.title)}
    </a>
  );

const Lanes = ({ column, at, underWay }: { column: LaidOutColumn; at: number; underWay: UnderWay }) => (
  <>
    {column.lanes.map((lane) => {
      const cell = lane.get(at);
      if (cell === undefined) return null;
      if (cell.block === undefined) return <td rowspan={cell.rows} class="idle" />;
      const { build } = cell.block;
      return (
        <td rowspan={cell.rows} class={`block is-${build.state.kind}`}>
          <BuildBlock build={build} branch={column.branch} underWay={underWay} />
        </td>
      );
    })}
  </>
);

const Waiting = (props: { columns: readonly LaidOutColumn[]; changes: readonly Build[]; underWay: UnderWay }) => (
  <tr>
    <th scope="row" class="time">
      next
    </th>
    <td class="changes">
      {props.changes.map((build) => (
        <Change build={build} />
      ))}
    </td>
    {props.columns.map(({ waiting, lanes, branch }) => (
      <td colspan={lanes.length} class={waiting.length === 0 ? "idle" : undefined}>
        {waiting.map((build) => (
          <div class="block is-queued">
            <BuildBlock build={build} branch={branch} underWay={props.underWay} />
          </div>
        ))}
      </td>
    ))}
  </tr>
);
