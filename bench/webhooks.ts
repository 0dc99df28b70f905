/**
 * (j) Webhooks of pushes, offered by GitHub's rules as fast as they are taken: how many the running docker-ci answers a second,
 * and how long one waits. Then the builds that remain: one for each branch, of its last push. Without a worker, so that git, which
 * is the same for everybody, does not set the pace.
 */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { z } from "zod";
import { waitFor } from "../test/support/wait-for.ts";
import { mark, quantile, shownMs } from "./numbers.ts";
import { type Benchmark, openSite } from "./scene.ts";

const PUSHES = 10_000;
const REPOSITORIES = 20;
const BRANCHES = 5;
const CONNECTIONS = 8;
const TARGET_PER_SECOND = 500;
const TARGET_MS = 50;
const PATIENCE_MS = 180_000;
const SECRET = "correct horse battery";

export const webhooks: Benchmark = {
  title: `${PUSHES} pushes to ${REPOSITORIES * BRANCHES} branches of ${REPOSITORIES} repositories, by webhook`,
  run,
};

const Queued = z.object({
  builds: z.array(z.object({ project: z.string(), ref: z.string(), revision: z.object({ sha: z.string() }) })),
});

async function run(signal: AbortSignal): Promise<boolean> {
  const names = Array.from({ length: REPOSITORIES }, (_, index) => `repository-${index}`);
  const projects = names.map((name) => `  ${name}: { repo: /nowhere/${name}, forge: "github:octo-team/${name}" }`);
  await using site = await openSite(`github: { webhook_secret: ${SECRET} }\nprojects:\n${projects.join("\n")}`);
  site.run(["start", "--no-worker"]);
  await waitFor("the page to answer", async () => (await fetch(`${site.url}/healthz`)).ok);

  const pushes = pushesTo(names);
  const requests = pushes.map(signedRequest);
  await using pool = new DisposablePool(site.url);
  const waits: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let request = requests[next]; request !== undefined; request = requests[next]) {
        next += 1;
        signal.throwIfAborted();
        const offered = performance.now();
        const { statusCode, body } = await pool.request({ path: "/change_hook/github", method: "POST", ...request });
        const text = await body.text();
        if (statusCode !== 202) throw new Error(`a push was answered with ${statusCode}: ${text}`);
        waits.push(performance.now() - offered);
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;

  const last = new Map(pushes.map(({ name, branch, after }) => [`${name} ${branch}`, after]));
  const settledMs = await settle(site.url, last, signal);
  const perSecond = PUSHES / seconds;
  const isQuick = perSecond >= TARGET_PER_SECOND && quantile(waits, 0.99) < TARGET_MS;
  console.log(
    `  ${mark(isQuick)} ${perSecond.toFixed(0)} a second, p50 ${shownMs(quantile(waits, 0.5))}, p99 ${shownMs(quantile(waits, 0.99))} with ${CONNECTIONS} connections (to reach: ${TARGET_PER_SECOND} a second, p99 under ${TARGET_MS} ms)`,
  );
  const isRight = settledMs !== undefined;
  console.log(
    isRight
      ? `  ${mark(true)} ${last.size} builds remain, each of its branch's last push, ${shownMs(settledMs)} after the last answer`
      : `  ${mark(false)} the builds that remain are not those of the last pushes`,
  );
  return isQuick && isRight;
}

interface Push {
  readonly name: string;
  readonly branch: string;
  readonly before: string;
  readonly after: string;
}

/** In turn, so that every branch is pushed to again while others are. */
function pushesTo(names: readonly string[]): Push[] {
  const shaOf = (index: number) => createHash("sha1").update(`push ${index}`).digest("hex");
  const heads = REPOSITORIES * BRANCHES;
  return Array.from({ length: PUSHES }, (_, index) => ({
    name: names[index % REPOSITORIES] ?? "",
    branch: `branch/${Math.floor(index / REPOSITORIES) % BRANCHES}`,
    before: index < heads ? "0".repeat(40) : shaOf(index - heads),
    after: shaOf(index),
  }));
}

/** As long as GitHub's are: some eight kilobytes, most of them addresses that nobody reads. */
function signedRequest({ name, branch, before, after }: Push): { headers: Record<string, string>; body: string } {
  const full_name = `octo-team/${name}`;
  const person = { login: "ada", id: 1, url: "https://api.github.com/users/ada", type: "User", site_admin: false };
  const addresses = Object.fromEntries(
    Array.from({ length: 60 }, (_, index) => [
      `a${index}_url`,
      `https://api.github.com/repos/${full_name}/a${index}{/number}`,
    ]),
  );
  const commit = {
    id: after,
    message: "Fix it",
    timestamp: "2026-03-01T12:00:00Z",
    author: { name: "ada", email: "ada@example.org" },
  };
  const head = { ...commit, added: ["new.go"], removed: [], modified: ["go.mod", "main.go"] };
  const body = JSON.stringify({
    ref: `refs/heads/${branch}`,
    before,
    after,
    created: false,
    deleted: false,
    forced: false,
    repository: { id: 1, full_name, owner: { ...person, ...addresses }, ...addresses },
    pusher: { name: "ada", email: "ada@example.org" },
    sender: person,
    commits: [head],
    head_commit: head,
  });
  return {
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
    },
    body,
  };
}

/** How long it took until exactly those heads were in the line and nothing else; undefined when it did not come to it. */
async function settle(
  url: string,
  heads: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const answered = performance.now();
  while (performance.now() - answered < PATIENCE_MS) {
    signal.throwIfAborted();
    const answer = await fetch(`${url}/api/builds?state=queued&limit=${heads.size + 1}`, { signal });
    const { builds } = Queued.parse(await answer.json());
    const isRight = builds.every(({ project, ref, revision }) => heads.get(`${project} ${ref}`) === revision.sha);
    if (builds.length === heads.size && isRight) return performance.now() - answered;
    await sleep(100, undefined, { signal });
  }
  return undefined;
}

class DisposablePool extends Pool {
  constructor(url: string) {
    super(url, { connections: CONNECTIONS });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
