/** `/`: how every project stands, and what is going on. */
import { Hono } from "hono";
import type { Outlook } from "../../builds/builds.ts";
import { pausedFacts } from "../../builds/waiting.ts";
import { SIGNS, type Tone } from "../../chat/reply.ts";
import type { Config } from "../../config.ts";
import { type Release, releaseName } from "../../releases/release.ts";
import { awaitedWords, releaseTitle } from "../../releases/words.ts";
import { formatAge } from "../../units.ts";
import type { Frame, WebDeps } from "../deps.ts";
import { ForceForm } from "../forms/force-form.tsx";
import { mayDo, visitorOf } from "../login/visitor.ts";
import { Page, Sign } from "../shell.tsx";
import { Card } from "./card.tsx";
import { couldNotRun, type Glance, isBroken, type Overview, readOverview } from "./glance.ts";

const QUEUED_SHOWN = 8;

export function homeRoutes(deps: WebDeps, frame: Frame): Hono {
  const { config, clock } = deps;
  const app = new Hono();
  app.get("/", async (c) => {
    const overview = await readOverview(deps);
    const { glances, outlook } = overview;
    const [tone, title] = answer(overview);
    const live = outlook.running.length + outlook.queued.length > 0;
    return c.html(
      <Page title={title} bar={await frame.bar(c)} area="/" tone={tone} live={live} scripts={["refresh"]}>
        <h1>Projects</h1>
        <div id="overview" data-live>
          <Summary overview={overview} />
          <Unapproved releases={overview.releases} config={config} />
          <Held facts={pausedFacts(outlook.pauses, { now: clock.now(), timezone: config.timezone })} />
          {glances.length === 0 ? (
            <p>
              No project is configured yet: name one under <code>projects:</code> in <code>docker-ci.yml</code>, and{" "}
              <code>docker-ci check</code> says whether it is right.
            </p>
          ) : (
            <ul class="cards">
              {glances.map((glance) => (
                <Card glance={glance} outlook={outlook} config={config} now={clock.now()} />
              ))}
            </ul>
          )}
        </div>
        {glances.length > 0 && mayDo(visitorOf(c)) ? (
          <section aria-labelledby="ask">
            <h2 id="ask">Build</h2>
            <ForceForm visitor={visitorOf(c)} projects={[...config.projects.values()]} />
          </section>
        ) : null}
      </Page>,
    );
  });
  return app;
}

/** What a row of browser tabs shows: the worst there is, then what is going on. */
function answer({ glances, outlook }: Overview): readonly [tone: Tone, title: string] {
  const broken = glances.filter(isBroken);
  const [first] = broken;
  const running = outlook.running.length;
  if (first !== undefined) {
    const which = broken.length === 1 ? first.project.name : `${broken.length} projects`;
    return ["failed", `${SIGNS.failed} ${which} broken · docker-ci`];
  }
  const unable = glances.filter(couldNotRun);
  if (unable[0] !== undefined) {
    const which = unable.length === 1 ? unable[0].project.name : `${unable.length} projects`;
    return ["errored", `${SIGNS.errored} ${which} could not run · docker-ci`];
  }
  if (running > 0) return ["running", `${SIGNS.running} ${running} running · docker-ci`];
  if (!glances.some(({ standing }) => standing !== undefined)) return ["info", "docker-ci"];
  const isAll = glances.every(({ incidents }) => incidents.length === 0);
  return ["passed", `${SIGNS.passed} ${isAll ? "all" : "main branches"} good · docker-ci`];
}

const Summary = ({ overview }: { overview: Overview }) => {
  const { glances, outlook, workers } = overview;
  const broken = glances.filter(isBroken);
  const unable = glances.filter(couldNotRun);
  return (
    <>
      <p class="summary">
        {broken.length > 0 ? (
          <Named tone="failed" word={`${broken.length} of ${glances.length} broken:`} which={broken} />
        ) : null}
        {broken.length > 0 && unable.length > 0 ? " · " : null}
        {unable.length > 0 ? <Named tone="errored" word="could not run:" which={unable} /> : null}
        {broken.length + unable.length === 0 && glances.some(({ standing }) => standing !== undefined) ? (
          <AllGood glances={glances} />
        ) : null}
      </p>
      {workers === 0 && outlook.queued.length > 0 ? (
        <p>
          <Sign tone="errored" word="no worker is up:" /> builds wait until <a href="/workers">one is</a>.
        </p>
      ) : null}
      <Line outlook={outlook} />
    </>
  );
};

const Named = ({ tone, word, which }: { tone: Tone; word: string; which: readonly Glance[] }) => (
  <>
    <Sign tone={tone} word={word} />{" "}
    {which.map(({ project }, index) => (
      <>
        {index === 0 ? "" : ", "}
        <a href={`/projects/${project.name}`}>{project.name}</a>
      </>
    ))}
  </>
);

/** No project is broken on its own branch; what is broken on others is named all the same. */
const AllGood = ({ glances }: { glances: readonly Glance[] }) => {
  const elsewhere = glances.flatMap(({ incidents }) => incidents);
  if (elsewhere.length === 0) return <Sign tone="passed" word="nothing is broken" />;
  return (
    <>
      <Sign tone="passed" word="all main branches are good" />, broken elsewhere:{" "}
      {elsewhere.map(({ project, branch, firstBad }, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/builds/${firstBad.number}`}>
            {project} {branch}
          </a>
        </>
      ))}
    </>
  );
};

/** A release is nobody's news until somebody approves it. */
const Unapproved = ({ releases, config }: { releases: readonly Release[]; config: Config }) => (
  <>
    {releases.map((release) => (
      <p>
        <Sign tone="queued" word="release:" /> <a href={`/releases/${releaseName(release)}`}>{releaseTitle(release)}</a>{" "}
        {awaitedWords(release, config)}
      </p>
    ))}
  </>
);

/** Who paused what, so that nobody wonders why nothing begins. */
const Held = ({ facts }: { facts: readonly string[] }) =>
  facts.length === 0 ? null : (
    <p>
      <Sign tone="cancelled" word="held:" /> {facts.join(" · ")}
    </p>
  );

/** What waits, in the order in which it will begin. */
const Line = ({ outlook }: { outlook: Outlook }) => {
  const { queued } = outlook;
  if (queued.length === 0) return null;
  return (
    <p>
      <Sign tone="queued" word="waiting:" />{" "}
      {queued.slice(0, QUEUED_SHOWN).map((build, index) => {
        const beginsInMs = outlook.forecast(build)?.beginsInMs;
        return (
          <>
            {index === 0 ? "" : ", "}
            <a href={`/builds/${build.number}`}>
              {build.project} #{build.number}
            </a>
            {beginsInMs === undefined || beginsInMs === 0 ? "" : ` in about ${formatAge(beginsInMs)}`}
          </>
        );
      })}
      {queued.length > QUEUED_SHOWN ? ` and ${queued.length - QUEUED_SHOWN} more` : ""}
    </p>
  );
};
