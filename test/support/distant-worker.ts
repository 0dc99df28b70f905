/** A docker-ci whose workers are elsewhere: the bot on a Redis over TLS, and workers with the rights that workers have. */
import { openSite, type Site, type SitePlace } from "./docker-ci.ts";
import type { TlsRedis } from "./tls-redis.ts";
import { waitFor } from "./wait-for.ts";

const TOKEN = "a-token-of-the-tests";

export interface Headquarters extends AsyncDisposable {
  readonly site: Site;
  /** Asks over the API; gives the build's number. */
  build(project: string): Promise<number>;
  /** As the API tells of it. */
  look(number: number): Promise<{ readonly state: string; readonly [key: string]: unknown }>;
  log(number: number): Promise<Response>;
  over(number: number, timeoutMs?: number): Promise<{ readonly state: string; readonly [key: string]: unknown }>;
  /** Makes a token for a worker of that name. */
  token(worker: string): Promise<string>;
  worker(name: string, token: string | undefined, more?: string, place?: SitePlace): Promise<Site>;
}

/** @param projects YAML of the projects, for the bot and its workers. */
export async function openHeadquarters(
  redis: TlsRedis,
  projects: string,
  more = "",
  place: SitePlace = {},
): Promise<Headquarters> {
  const site = await openSite(
    `redis: ${redis.url}\nredis_tls: { ca: ${redis.caFile} }\nweb: { tokens: { tests: ${TOKEN} } }\nprojects: ${projects}\n${more}`,
    place,
  );
  const workers: Site[] = [];
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const look: Headquarters["look"] = async (number) =>
    (await fetch(`${site.url}/api/builds/${number}`, { headers })).json() as Promise<{ state: string }>;
  return {
    site,
    look,
    async build(project) {
      const answer = await fetch(`${site.url}/api/builds`, {
        method: "POST",
        headers,
        body: JSON.stringify({ project }),
      });
      const { number } = (await answer.json()) as { number: number };
      return number;
    },
    log: (number) => fetch(`${site.url}/builds/${number}/log`),
    over: (number, timeoutMs = 60_000) =>
      waitFor(
        `#${number} to be over`,
        async () => {
          const build = await look(number);
          return build.state === "queued" || build.state === "running" ? undefined : build;
        },
        { timeoutMs },
      ),
    async token(worker) {
      const made = await site.run(["worker-token", worker]).ended;
      return made.stdout.trim();
    },
    async worker(name, token, own = "", at = {}) {
      const place = await openSite(
        `url: ${site.url}\nredis: ${redis.workerUrl}\nredis_tls: { ca: ${redis.caFile} }\nworker_name: ${name}\n${token === undefined ? "" : `worker_token: ${token}\n`}projects: ${projects}\n${own}`,
        at,
      );
      workers.push(place);
      return place;
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker[Symbol.asyncDispose]();
      await site[Symbol.asyncDispose]();
    },
  };
}
