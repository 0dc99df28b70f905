/** What must hold between keys of the configuration. */
import { z } from "zod";
import { didYouMean, nearest } from "../nearest.ts";
import type { KeyPath, Problem } from "../yaml.ts";

const texts = z.preprocess(
  (value) => (typeof value === "string" ? [value] : value),
  z.array(z.string().catch("")).catch([]),
);
const network = z.looseObject({ name: z.string().catch("") }).catch({ name: "" });
const networks = z.array(network).catch([]);
const namedValues = z.record(z.string(), z.unknown()).catch({});

const roomList = z.object({ rooms: texts }).catch({ rooms: [] });
const ForgeOutline = z.object({ forge: z.string().catch("") }).catch({ forge: "" });
const NotifyOutline = z.object({ notify: roomList }).catch({ notify: { rooms: [] } });

const sites = z.array(z.object({ url: z.string().catch("") }).catch({ url: "" })).catch([]);

/** As much of the file as is needed here, whatever else is wrong with it, so that all problems are told at once. */
const Outline = z.object({
  irc: networks,
  slack: networks,
  people: z
    .record(z.string(), z.object({ irc: texts, slack: texts, web: texts }).catch({ irc: [], slack: [], web: [] }))
    .catch({}),
  notify: roomList,
  projects: namedValues,
  releases: namedValues,
  schedules: z
    .array(z.object({ name: z.string().catch(""), projects: texts }).catch({ name: "", projects: [] }))
    .catch([]),
  web: z.looseObject({}).catch({}),
  redis: z.string().catch(""),
  redis_tls: z.looseObject({}).optional().catch(undefined),
  gitea: sites,
  gitlab: sites,
});
type Outline = z.output<typeof Outline>;

/** Problems of a file's content, of any shape. */
export function crossCheck(content: unknown): Problem[] {
  const outline = Outline.safeParse(content).data;
  if (outline === undefined) return [];
  return [
    ...sameNames(outline),
    ...halfLogins(outline),
    ...redisProblems(outline),
    ...privateForNobody(outline),
    ...accountProblems(outline),
    ...sameWebNames(outline),
    ...roomProblems(outline),
    ...unknownReleases(outline),
    ...scheduleProblems(outline),
    ...unknownForgeHosts(outline),
    ...sameForgeHosts(outline),
  ];
}

function sameNames({ irc, slack }: Outline): Problem[] {
  const seen = new Set<string>();
  const all = [
    ...irc.map((entry, index) => ({ ...entry, path: ["irc", index] })),
    ...slack.map((entry, index) => ({ ...entry, path: ["slack", index] })),
  ];
  return all.flatMap(({ name, path }) => {
    const repeated = name !== "" && seen.has(name);
    seen.add(name);
    return repeated
      ? [{ path: [...path, "name"], message: `found "${name}" again, allowed: a name of its own for each network` }]
      : [];
  });
}

/** A name without its password, or the other way round, would look protected and not be. */
function halfLogins({ irc, web }: Outline): Problem[] {
  const missing = (path: KeyPath, beside: string) => ({ path, message: `missing, needed: it goes with ${beside}` });
  return [
    ...irc.flatMap((entry, index) =>
      entry.account !== undefined && entry.password === undefined
        ? [missing(["irc", index, "password"], "account")]
        : [],
    ),
    ...(web.user !== undefined && web.password === undefined ? [missing(["web", "password"], "user")] : []),
    ...(web.password !== undefined && web.user === undefined ? [missing(["web", "user"], "password")] : []),
  ];
}

/** Certificates for a connection that is not encrypted would look safe and not be. */
function redisProblems({ redis, redis_tls: tls }: Outline): Problem[] {
  if (tls === undefined) return [];
  const half = (given: unknown, other: unknown) => given === undefined && other !== undefined;
  return [
    ...(redis.startsWith("rediss://")
      ? []
      : [{ path: ["redis_tls"], message: "needs an address that begins with rediss:// in redis" }]),
    ...(half(tls.key, tls.cert) ? [{ path: ["redis_tls", "key"], message: "missing, needed: it goes with cert" }] : []),
    ...(half(tls.cert, tls.key) ? [{ path: ["redis_tls", "cert"], message: "missing, needed: it goes with key" }] : []),
  ];
}

/** A page that is shown to who is logged in, where nobody can, is no page at all. */
function privateForNobody({ web }: Outline): Problem[] {
  const proxyNames = z.looseObject({ header: z.unknown() }).safeParse(web.trusted_proxy).data?.header !== undefined;
  if (String(web.private) !== "true" || web.user !== undefined || web.password !== undefined || proxyNames) return [];
  return [
    { path: ["web", "user"], message: "missing, needed: private goes with user and password, or trusted_proxy.header" },
  ];
}

function sameWebNames({ people }: Outline): Problem[] {
  const owners = new Map<string, string>();
  return Object.entries(people).flatMap(([person, { web }]) =>
    web.flatMap((name, index): Problem[] => {
      const owner = owners.get(name);
      owners.set(name, owner ?? person);
      if (owner === undefined || owner === person) return [];
      return [
        {
          path: ["people", person, "web", index],
          message: `found "${name}", which is ${owner}'s already, allowed: a name of one person`,
        },
      ];
    }),
  );
}

function accountProblems({ people, irc, slack }: Outline): Problem[] {
  const owners = new Map<string, string>();
  return Object.entries(people).flatMap(([person, accounts]) =>
    (["irc", "slack"] as const).flatMap((kind) =>
      accounts[kind].flatMap((account, index): Problem[] => {
        const path = ["people", person, kind, index];
        // Services accounts are told apart without regard to case.
        const key = account.toLowerCase();
        const owner = owners.get(key);
        owners.set(key, owner ?? person);
        if (owner !== undefined && owner !== person) {
          return [
            { path, message: `found "${account}", which is ${owner}'s already, allowed: an account of one person` },
          ];
        }
        return unknownNetwork(account, path, kind === "irc" ? irc : slack, kind);
      }),
    ),
  );
}

function roomProblems({ notify, projects, irc, slack }: Outline): Problem[] {
  const check = (rooms: readonly string[], path: KeyPath): Problem[] =>
    rooms.flatMap((room, index) => unknownNetwork(room, [...path, index], [...irc, ...slack], "irc or slack"));
  const ofProjects = Object.entries(projects).flatMap(([name, project]) =>
    check(NotifyOutline.parse(project).notify.rooms, ["projects", name, "notify", "rooms"]),
  );
  return [...check(notify.rooms, ["notify", "rooms"]), ...ofProjects];
}

function unknownNetwork(address: string, path: KeyPath, known: Outline["irc"], kind: string): Problem[] {
  const name = address.slice(0, Math.max(0, address.indexOf("/")));
  const names = known.map((entry) => entry.name).filter((entry) => entry !== "");
  // No slash: the schema has said so.
  if (name === "" || names.includes(name)) return [];
  const allowed = names.length === 0 ? `none, as ${kind} names no network` : names.join(", ");
  const hint = didYouMean(nearest(name, names, 1));
  return [{ path, message: `found network "${name}", allowed: ${allowed}${hint === "" ? "" : `. ${hint}`}` }];
}

/** A schedule is known by its name, and builds what there is. */
function scheduleProblems({ schedules, projects }: Outline): Problem[] {
  const names = Object.keys(projects);
  const seen = new Set<string>();
  return schedules.flatMap((schedule, index): Problem[] => {
    const path = ["schedules", index];
    const isRepeated = schedule.name !== "" && seen.has(schedule.name);
    seen.add(schedule.name);
    const again = `found "${schedule.name}" again, allowed: a name of its own for each schedule`;
    const unknown = schedule.projects.filter((project) => project !== "" && !names.includes(project));
    return [
      ...(isRepeated ? [{ path: [...path, "name"], message: again }] : []),
      ...unknown.map((project) => {
        const hint = didYouMean(nearest(project, names, 1));
        const message = `found "${project}", which no project is called${hint === "" ? "" : `. ${hint}`}`;
        return { path: [...path, "projects"], message };
      }),
    ];
  });
}

function unknownReleases({ releases, projects }: Outline): Problem[] {
  const names = Object.keys(projects);
  return Object.keys(releases).flatMap((name) => {
    if (names.includes(name)) return [];
    const hint = didYouMean(nearest(name, names, 1));
    return [{ path: ["releases", name], message: `no project has this name${hint === "" ? "" : `. ${hint}`}` }];
  });
}

/** A project on a forge that nothing else is known of would never hear of it. */
function unknownForgeHosts({ projects, ...sites }: Outline): Problem[] {
  return Object.entries(projects).flatMap(([name, project]): Problem[] => {
    const written = ForgeOutline.parse(project).forge;
    const [, kind, host = ""] = /^(gitea|gitlab):([^/]+)\//.exec(written) ?? [];
    if (kind !== "gitea" && kind !== "gitlab") return [];
    const known = hostsOf(sites[kind]);
    if (known.includes(host.toLowerCase())) return [];
    const allowed = known.length === 0 ? `none, as ${kind} names no forge` : known.join(", ");
    return [{ path: ["projects", name, "forge"], message: `found host "${host}", allowed: ${allowed}` }];
  });
}

function sameForgeHosts(outline: Outline): Problem[] {
  return (["gitea", "gitlab"] as const).flatMap((kind) =>
    hostsOf(outline[kind]).flatMap((host, index, hosts): Problem[] =>
      host === "" || hosts.indexOf(host) === index
        ? []
        : [{ path: [kind, index, "url"], message: `found ${host} again, allowed: a host of its own for each forge` }],
    ),
  );
}

function hostsOf(sites: Outline["gitea"]): string[] {
  return sites.map(({ url }) => (URL.canParse(url) ? new URL(url).host : ""));
}
