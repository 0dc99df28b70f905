/** A stand-in for the REST APIs of GitHub, Gitea and GitLab, which refuses what they refuse, with faults to stage. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { portOf } from "./loopback.ts";
import { waitFor } from "./wait-for.ts";

export const FORGE_TOKEN = "ghp_averysecrettoken";
const BOT = "docker-ci-bot";

const STATES = {
  github: ["pending", "success", "failure", "error"],
  gitea: ["pending", "success", "failure", "error", "warning"],
};
/** GitHub's, of a description and of a context. */
const DESCRIPTION_MAX = 140;
const CONTEXT_MAX = 255;

const Status = z.object({
  state: z.string(),
  description: z.string(),
  context: z.string(),
  target_url: z.string(),
});
export type ReceivedStatus = z.output<typeof Status> & { readonly sha: string };

const Comment = z.object({ body: z.string().min(1).max(65_536) });

const Release = z.object({
  tag_name: z.string().min(1),
  target_commitish: z.string(),
  name: z.string(),
  body: z.string(),
  prerelease: z.boolean(),
  make_latest: z.enum(["true", "false", "legacy"]).optional(),
});
export type ReceivedRelease = z.output<typeof Release> & { readonly id: number };

export interface ForgeComment {
  readonly id: number;
  readonly pullRequest: number;
  body: string;
  readonly user: { readonly login: string; readonly type: string };
}

/** What one call is answered with in place of what it asked for. */
export interface Fault {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ForgeServer extends AsyncDisposable {
  /** For `github.api_url`, or `gitea.url`. */
  readonly url: string;
  readonly host: string;
  /** The one repository: `distribution/distribution`; settable, as people rename theirs. */
  repository: string;
  /** Where it was before; calls for it are redirected as GitHub does. */
  formerly: string | undefined;
  readonly shas: Set<string>;
  readonly statuses: ReceivedStatus[];
  readonly comments: ForgeComment[];
  readonly releases: ReceivedRelease[];
  /** `POST /repos/…`, everything that was asked. */
  readonly calls: string[];
  /** Answered first, one a call. */
  readonly faults: Fault[];
  /** Answered always while it is set. */
  fault: Fault | undefined;
  /** How long every answer takes. */
  delayMs: number;
  /** The most calls at the same time. */
  readonly atOnce: () => number;
  mayPush: boolean;
  /** Whether the token is an administrator's of the repository. */
  isAdmin: boolean;
  /** Who may do what there: `write` by name, of GitLab the access level by number. */
  readonly people: Map<string, string | number>;
  /** The token is an app's: it is no user. */
  isApp: boolean;
  /** Waits until that many statuses were set. */
  gets(count: number): Promise<readonly ReceivedStatus[]>;
}

/** The 403 of GitHub's hourly limit. */
export function limitReached(reset: Date): Fault {
  return {
    status: 403,
    headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(Math.ceil(reset.getTime() / 1000)) },
    body: JSON.stringify({ message: "API rate limit exceeded for user ID 1." }),
  };
}

export const BAD_GATEWAY: Fault = { status: 502, body: "<html>Bad Gateway</html>" };

interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
}

export type ForgeServerKind = "github" | "gitea" | "gitlab";

export async function startForge(kind: ForgeServerKind = "github"): Promise<ForgeServer> {
  let [now, most] = [0, 0];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    now += 1;
    most = Math.max(most, now);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
    forge.calls.push(`${request.method} ${request.url}`);
    if (forge.delayMs > 0) await sleep(forge.delayMs);
    const fault = forge.fault ?? forge.faults.shift();
    const { status, json, headers, text } =
      fault === undefined
        ? kind === "gitlab"
          ? answerAsGitlab(forge, request, Buffer.concat(chunks).toString())
          : answer(forge, kind, request, Buffer.concat(chunks).toString())
        : { status: fault.status, headers: fault.headers, text: fault.body ?? "{}", json: undefined };
    now -= 1;
    response.writeHead(status, headers).end(text ?? (json === undefined ? "" : JSON.stringify(json)));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => {
      // Whoever asked has gone.
      now -= 1;
      response.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${portOf(server)}`;
  const forge: ForgeServer = {
    url: `http://${host}`,
    host,
    repository: "distribution/distribution",
    formerly: undefined,
    shas: new Set(["0".repeat(40), "1".repeat(40)]),
    statuses: [],
    comments: [],
    releases: [],
    calls: [],
    faults: [],
    fault: undefined,
    delayMs: 0,
    atOnce: () => most,
    mayPush: true,
    isAdmin: true,
    people: new Map(),
    isApp: false,
    async gets(count) {
      await waitFor(`${count} statuses`, () => forge.statuses.length >= count, { seen: () => forge.statuses.length });
      return forge.statuses;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return forge;
}

const refuse = (status: number, message: string, errors?: readonly object[]): Answer => ({
  status,
  json: { message, ...(errors === undefined ? {} : { errors }) },
});
const invalid = (field: string, message: string): Answer =>
  refuse(422, "Validation Failed", [{ resource: "Status", code: "custom", field, message }]);

function answer(forge: ForgeServer, kind: "github" | "gitea", request: IncomingMessage, body: string): Answer {
  const { authorization, "user-agent": agent, "content-type": type } = request.headers;
  if (agent === undefined)
    return refuse(
      403,
      "Request forbidden by administrative rules. Please make sure your request has a User-Agent header",
    );
  const right = kind === "github" ? [`Bearer ${FORGE_TOKEN}`, `token ${FORGE_TOKEN}`] : [`token ${FORGE_TOKEN}`];
  if (authorization === undefined || !right.includes(authorization)) return refuse(401, "Bad credentials");
  const base = kind === "github" ? "" : "/api/v1";
  const url = new URL(request.url ?? "/", forge.url);
  const path = url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : "";
  if (request.method === "GET" && path === "/user")
    return forge.isApp ? refuse(403, "Resource not accessible by integration") : { status: 200, json: { login: BOT } };
  const [, place, rest = ""] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(path) ?? [];
  if (place === forge.formerly && place !== undefined) {
    // GitHub's is an address by number; that it is another one is what matters.
    return {
      status: 307,
      headers: { location: `${forge.url}${base}/repos/${forge.repository}${rest}${url.search}` },
      json: { message: "Moved Permanently" },
    };
  }
  if (place !== forge.repository) return refuse(404, "Not Found");
  const isWriting = request.method !== "GET";
  if (isWriting && type !== "application/json") return refuse(400, "Problems parsing JSON");
  if (!isWriting && rest === "")
    return { status: 200, json: { full_name: place, permissions: { push: forge.mayPush, admin: forge.isAdmin } } };
  const who = /^\/collaborators\/([^/]+)\/permission$/.exec(rest)?.[1];
  if (!isWriting && who !== undefined) {
    // Gitea's words; GitHub tells whoever may push.
    if (kind === "gitea" && !forge.isAdmin)
      return refuse(403, "Only admins can query all permissions, repo admins can query all repo permissions");
    const permission = forge.people.get(decodeURIComponent(who));
    return permission === undefined ? refuse(404, "user does not exist") : { status: 200, json: { permission } };
  }
  const payload: unknown = isWriting ? JSON.parse(body) : undefined;
  const sha = /^\/statuses\/([0-9a-f]{40})$/.exec(rest)?.[1];
  if (request.method === "POST" && sha !== undefined) return takeStatus(forge, kind, sha, payload);
  const pullRequest = /^\/issues\/(\d+)\/comments$/.exec(rest)?.[1];
  if (pullRequest !== undefined) return commentsOf(forge, Number(pullRequest), request.method, payload, url, kind);
  const release = /^\/releases(?:\/(\d+))?$/.exec(rest);
  if (release !== null) return releasesOf(forge, request.method, release[1], payload);
  const id = /^\/issues\/comments\/(\d+)$/.exec(rest)?.[1];
  const comment = forge.comments.find((each) => each.id === Number(id));
  if (request.method !== "PATCH" || comment === undefined) return refuse(404, "Not Found");
  comment.body = Comment.parse(payload).body;
  return { status: 200, json: comment };
}

function answerAsGitlab(forge: ForgeServer, request: IncomingMessage, body: string): Answer {
  if (request.headers.authorization !== `Bearer ${FORGE_TOKEN}`) return refuse(401, "401 Unauthorized");
  const { pathname, searchParams } = new URL(request.url ?? "/", forge.url);
  if (pathname === "/api/v4/user") return { status: 200, json: { username: BOT } };
  const [, place = "", rest = ""] = /^\/api\/v4\/projects\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
  if (decodeURIComponent(place) !== forge.repository) return refuse(404, "404 Project Not Found");
  if (rest === "") return { status: 200, json: { path_with_namespace: forge.repository } };
  const member = /^\/members\/all\/(\d+)$/.exec(rest)?.[1];
  if (member !== undefined) {
    const level = forge.people.get(member);
    return level === undefined ? refuse(404, "404 Not found") : { status: 200, json: { access_level: level } };
  }
  const [, pullRequest, id] = /^\/merge_requests\/(\d+)\/notes(?:\/(\d+))?$/.exec(rest) ?? [];
  if (pullRequest === undefined) return refuse(404, "404 Not found");
  if (request.method === "GET") {
    const all = forge.comments.filter((comment) => comment.pullRequest === Number(pullRequest));
    const perPage = Math.min(100, Number(searchParams.get("per_page") ?? 20));
    const first = (Number(searchParams.get("page") ?? 1) - 1) * perPage;
    const notes = all.map((comment) => ({ ...comment, author: { username: comment.user.login }, system: false }));
    return { status: 200, json: notes.slice(first, first + perPage) };
  }
  const { body: text } = Comment.parse(JSON.parse(body));
  if (request.method === "POST") {
    const user = { login: BOT, type: "User" };
    forge.comments.push({ id: forge.comments.length + 1, pullRequest: Number(pullRequest), body: text, user });
    return { status: 201, json: { id: forge.comments.length } };
  }
  const note = forge.comments.find((each) => each.id === Number(id));
  if (request.method !== "PUT" || note === undefined) return refuse(404, "404 Note Not Found");
  note.body = text;
  return { status: 200, json: { id: note.id } };
}

function takeStatus(forge: ForgeServer, kind: "github" | "gitea", sha: string, payload: unknown): Answer {
  const status = Status.parse(payload);
  if (!forge.mayPush) return refuse(403, "Resource not accessible by personal access token");
  if (!forge.shas.has(sha)) return refuse(422, `No commit found for SHA: ${sha}`);
  if (!STATES[kind].includes(status.state)) return invalid("state", `${status.state} is not a valid state`);
  if (kind === "github") {
    if (status.description.length > DESCRIPTION_MAX)
      return invalid("description", `description is too long (maximum is ${DESCRIPTION_MAX} characters)`);
    if (/[\u{10000}-\u{10FFFF}]/u.test(status.description))
      return invalid("description", "description contains unicode characters above 0xffff");
    if (status.context.length > CONTEXT_MAX)
      return invalid("context", "context is too long (maximum is 255 characters)");
    if (!/^https?:\/\//.test(status.target_url)) return invalid("target_url", "target_url must use http(s) scheme");
  }
  forge.statuses.push({ ...status, sha });
  return { status: 201, json: { id: forge.statuses.length, ...status } };
}

/** A tag has one release: another POST is refused, as both do. */
function releasesOf(forge: ForgeServer, method: string | undefined, id: string | undefined, payload: unknown): Answer {
  if (method === "GET") return { status: 200, json: forge.releases };
  const release = Release.parse(payload);
  if (!forge.mayPush) return refuse(403, "Resource not accessible by personal access token");
  const place = forge.releases.findIndex((each) =>
    id === undefined ? each.tag_name === release.tag_name : each.id === Number(id),
  );
  if (method === "POST") {
    if (place !== -1) return invalid("tag_name", "already_exists");
    forge.releases.push({ ...release, id: forge.releases.length + 1 });
    return { status: 201, json: forge.releases.at(-1) };
  }
  if (method !== "PATCH" || place === -1) return refuse(404, "Not Found");
  forge.releases[place] = { ...release, id: Number(id) };
  return { status: 200, json: forge.releases[place] };
}

function commentsOf(
  forge: ForgeServer,
  pullRequest: number,
  method: string | undefined,
  payload: unknown,
  url: URL,
  kind: "github" | "gitea",
): Answer {
  if (method === "POST") {
    const user = { login: forge.isApp ? `${BOT}[bot]` : BOT, type: forge.isApp ? "Bot" : "User" };
    const comment = { id: forge.comments.length + 1, pullRequest, body: Comment.parse(payload).body, user };
    forge.comments.push(comment);
    return { status: 201, json: comment };
  }
  const all = forge.comments.filter((comment) => comment.pullRequest === pullRequest);
  // Gitea knows no pages here.
  if (kind === "gitea") return { status: 200, json: all };
  const perPage = Math.min(100, Number(url.searchParams.get("per_page") ?? 30));
  const first = (Number(url.searchParams.get("page") ?? 1) - 1) * perPage;
  return { status: 200, json: all.slice(first, first + perPage) };
}
