/** `/badge/<project>.svg` and `/badge/<project>/coverage.svg`: how a branch stands, to be shown in its README. */
import { type Context, Hono } from "hono";
import { readStanding, type Standing } from "../../builds/last-result.ts";
import { GitRef, ProjectName } from "../../names.ts";
import { percentWords } from "../../results/coverage-words.ts";
import type { WebDeps } from "../deps.ts";
import { wordOf } from "../shell.tsx";
import { type Badge, badgeSvg } from "./badge-svg.ts";

const ENDING = ".svg";
/** A README is read by many; a badge that is a minute old is as good as a new one. */
const CACHED = "max-age=60";

type Deps = Pick<WebDeps, "config" | "builds">;

export function badgeRoutes({ config, builds }: Deps): Hono {
  const app = new Hono();
  app.get("/badge/:file{[^/]+\\.svg}", (c) => {
    const file = c.req.param("file");
    return show(c, "build", file.slice(0, -ENDING.length), buildBadge);
  });
  app.get("/badge/:project/coverage.svg", (c) => show(c, "coverage", c.req.param("project"), coverageBadge));
  return app;

  /** What there is no such project or branch name for is a picture too: a README shows it where it would show the badge. */
  async function show(c: Context, label: string, project: string, badge: (standing: Standing) => Badge) {
    const name = ProjectName.safeParse(project);
    const known = name.success ? config.projects.get(name.data) : undefined;
    const branch = GitRef.safeParse(c.req.query("branch") ?? known?.branch);
    if (known === undefined || !branch.success) return send(c, { label, message: "unknown" }, 404);
    return send(c, badge(await readStanding(builds, known.name, branch.data)), 200);
  }
}

async function send(c: Context, badge: Badge, status: 200 | 404) {
  const svg = await badgeSvg(badge);
  return c.body(svg, status, { "content-type": "image/svg+xml; charset=utf-8", "cache-control": CACHED });
}

function buildBadge({ last }: Standing): Badge {
  if (last === undefined) return { label: "build", message: "no builds" };
  return { label: "build", message: wordOf(last.state.kind), tone: last.state.kind };
}

function coverageBadge({ covered }: Standing): Badge {
  const coverage = covered?.results?.coverage;
  if (coverage === undefined) return { label: "coverage", message: "unknown" };
  const part = coverage.partial === true ? " in part" : "";
  return { label: "coverage", message: `${percentWords(coverage.totals)}${part}`, tone: "info" };
}
