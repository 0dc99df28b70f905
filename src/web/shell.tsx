/** What every page stands in: the head, the bar with where to go and what is going on, and the parts that many pages share. */
import { raw } from "hono/html";
import type { Child } from "hono/jsx";
import { type Build, durationMs, isFinished } from "../builds/build.ts";
import { MARKS } from "../charts/marks.ts";
import { SIGNS, type Tone } from "../chat/reply.ts";
import { formatAge, formatDuration } from "../units.ts";

/** How often a page about something under way looks again, where no script does it. */
const REFRESH_S = 3;

/** What the bar at the top of every page says. */
export interface Bar {
  readonly version: string;
  readonly running: number;
  readonly queued: number;
  /** Who is logged in; undefined for somebody who only looks. */
  readonly person: string | undefined;
  /** Where they can log in, if they can. */
  readonly loginAt?: string | undefined;
}

const AREAS = [
  ["/", "Projects"],
  ["/waterfall", "Waterfall"],
  ["/releases", "Releases"],
  ["/schedule", "Schedule"],
] as const;
const BELOW = [
  ["/builds", "Builds"],
  ["/workers", "Workers"],
  ["/outbox", "Outbox"],
  ["/audit", "Audit"],
  ["/backups", "Backups"],
  ["/api/openapi.json", "API"],
] as const;

interface PageProps {
  /** The answer, as a row of browser tabs shows it: `✘ docker-registry #43`. */
  readonly title: string;
  readonly bar: Bar;
  /** The address of the area that the page belongs to. */
  readonly area?: string;
  /** What the icon in the tab shows. */
  readonly tone?: Tone;
  /** Something on it is under way: where no script of its own shows that, it looks again by itself. */
  readonly live?: boolean;
  /** Modules of `client/` that make it livelier; `refresh` replaces the parts with an id and `data-live` that changed. */
  readonly scripts?: readonly string[];
  readonly children?: Child;
}

/** Without it a browser takes the page for one of the nineties. */
const DOCTYPE = raw("<!DOCTYPE html>");

export const Page = (props: PageProps) => (
  <>
    {DOCTYPE}
    <Whole {...props} />
  </>
);

const Whole = ({ title, bar, area, tone = "info", live = false, scripts = [], children }: PageProps) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      {live && scripts.length === 0 ? <Refresh /> : null}
      {live && scripts.length > 0 ? (
        <noscript>
          <Refresh />
        </noscript>
      ) : null}
      <title>{title}</title>
      <link rel="stylesheet" href={`/assets/style.css?v=${bar.version}`} />
      <link rel="icon" href={iconOf(tone)} id="icon" />
      <link rel="alternate" type="application/atom+xml" title="docker-ci" href="/feed.xml" />
      {scripts.map((script) => (
        <script type="module" src={`/assets/${script}.js?v=${bar.version}`} />
      ))}
    </head>
    <body>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="bar">
        <a class="home" href="/">
          docker-ci
        </a>
        <nav aria-label="Areas">
          {AREAS.map(([href, label]) => (
            <a href={href} aria-current={href === area ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <span class="going-on" id="going-on" data-live>
          {bar.running > 0 ? <span class="state running">● {bar.running} running</span> : null}
          {bar.queued > 0 ? <span class="state queued">○ {bar.queued} queued</span> : null}
          {bar.running + bar.queued === 0 ? <span class="quiet">nothing is running</span> : null}
        </span>
        {bar.person === undefined ? null : <span class="person">{bar.person}</span>}
        {bar.loginAt === undefined ? null : <a href={bar.loginAt}>Log in</a>}
      </header>
      <main id="content">{children}</main>
      <footer>
        <nav aria-label="More">
          {BELOW.map(([href, label]) => (
            <a href={href} aria-current={href === area ? "page" : undefined}>
              {label}
            </a>
          ))}
        </nav>
        <span>docker-ci {bar.version}</span>
      </footer>
    </body>
  </html>
);

const Refresh = () => <meta http-equiv="refresh" content={String(REFRESH_S)} />;

/** The sign of a state as the icon of a tab: a picture in the address itself, since the page asks no other. */
function iconOf(tone: Tone): string {
  const { colour, shape } = MARKS[tone];
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1.2 -1.2 2.4 2.4" color="${colour}">${shape}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}

export const State = ({ build }: { build: Pick<Build, "state"> }) => <Sign tone={build.state.kind} />;

/** `✘ failed`: the sign and its word, always together. */
export const Sign = ({ tone, word = wordOf(tone) }: { tone: Tone; word?: string }) => (
  <span class={`state ${tone}`}>
    <span aria-hidden="true">{SIGNS[tone]}</span> {word}
  </span>
);

export function wordOf(tone: Tone): string {
  return tone === "errored" ? "could not run" : tone;
}

/** `✘ docker-registry #43`: what a row of browser tabs shows. */
export function buildTitle(build: Build): string {
  return `${SIGNS[build.state.kind]} ${build.project} #${build.number}`;
}

export function took(build: Build): string {
  return isFinished(build) && build.state.startedAt !== undefined ? formatDuration(durationMs(build)) : "";
}

export const Time = ({ at }: { at: string }) => <time datetime={at}>{at.slice(0, 16).replace("T", " ")} UTC</time>;

/** `6m ago`, with the time itself for who points at it. */
export const Ago = ({ at, now }: { at: string; now: Date }) => (
  <time datetime={at} title={`${at.slice(0, 16).replace("T", " ")} UTC`}>
    {formatAge(now.getTime() - Date.parse(at))} ago
  </time>
);

/** A page that says one thing: what is not there, what went wrong, what is not allowed. */
export const MessagePage = ({ title, bar, children }: { title: string; bar: Bar; children?: Child }) => (
  <Page title={title} bar={bar}>
    <h1>{title}</h1>
    <p>{children}</p>
  </Page>
);
