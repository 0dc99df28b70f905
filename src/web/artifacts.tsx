/** `/artifacts/<n>/`: the files that a build left behind. To be mounted before the site's own headers, which would let scripts run. */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { artifactPath } from "../builds/pictures.ts";
import { BuildNumber } from "../names.ts";
import { formatBytes, formatCount } from "../units.ts";
import type { Frame } from "./deps.ts";
import { serveInert } from "./inert-files.ts";
import { type Bar, Page } from "./shell.tsx";

/** A page with more files than this says how many more there are. */
const LISTED_MAX = 1_000;
const NOTHING = "There is no such artifact; they are kept for a while only.";
/** The page is ours, but the site's headers are not set yet. */
const PAGE_HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

interface Listed {
  readonly path: string;
  readonly bytes: number;
}

/** @param folder `data/docker-ci/artifacts`, with a folder for each build. */
export function artifactRoutes(folder: string, frame: Frame): Hono {
  const app = new Hono();

  app.get("/artifacts/:number{[1-9][0-9]*}", (c) => c.redirect(`/artifacts/${c.req.param("number")}/`));

  app.get("/artifacts/:number/*", async (c) => {
    const number = BuildNumber.safeParse(c.req.param("number"));
    if (!number.success) return frame.missing(c, NOTHING);
    const ofBuild = join(folder, String(number.data));
    const path = new URL(c.req.url).pathname.split("/").slice(3).join("/");
    if (path !== "") return (await serveInert(ofBuild, path, c.req.header("range"))) ?? frame.missing(c, NOTHING);
    const files = await listFiles(ofBuild);
    if (files.length === 0) return frame.missing(c, `There are no artifacts of #${number.data}.`);
    return c.html(<ArtifactsPage number={number.data} files={files} bar={await frame.bar(c)} />, 200, PAGE_HEADERS);
  });

  return app;
}

const ArtifactsPage = ({ number, files, bar }: { number: BuildNumber; files: readonly Listed[]; bar: Bar }) => (
  <Page title={`Artifacts of #${number}`} bar={bar}>
    <h1>
      Artifacts of <a href={`/builds/${number}`}>#{number}</a>
    </h1>
    <table>
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col" class="number">
            Size
          </th>
        </tr>
      </thead>
      <tbody>
        {files.slice(0, LISTED_MAX).map(({ path, bytes }) => (
          <tr>
            <td>
              <a href={artifactPath(number, path)}>{path}</a>
            </td>
            <td class="number">{formatBytes(bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
    {files.length > LISTED_MAX ? <p>{formatCount(files.length - LISTED_MAX)} more are not listed here.</p> : null}
  </Page>
);

/** Plain files only; sizes of those that are listed. */
async function listFiles(folder: string): Promise<Listed[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [] /* none were kept */);
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort((a, b) => (a < b ? -1 : 1));
  return Promise.all(
    paths.map(async (path, index) => {
      if (index >= LISTED_MAX) return { path, bytes: 0 };
      // One that is removed meanwhile is listed once more.
      const bytes = await lstat(join(folder, path)).then(
        ({ size }) => size,
        () => 0,
      );
      return { path, bytes };
    }),
  );
}
