/** `dcr FILE init`: what a host and its caller need before the first start (O-158). */
import { posix } from "node:path";
import type { Application } from "../application.ts";
import type { Daemon } from "../daemon.ts";
import { isSet } from "../environment.ts";
import { runOnce } from "../run-once.ts";
import { OUTCOME_HEADERS, type Outcome, onEveryHost, type Session } from "../session.ts";
import type { Row } from "../table.ts";
import { tell, type Verb } from "./verb.ts";

/** The original's, for images that say nothing of a user. */
const DEFAULT_OWNER = "1000:1000";

/**
 * What is there and holds something is never touched: it may be the host's own, as `/run` is.
 * $1: the folder; $2: its owner, by the image's own users.
 */
const SCRIPT = `
if [ -e "$1" ]; then did=exists; else mkdir -p "$1"; did=made; fi
if [ -d "$1" ] && [ -z "$(ls -A "$1")" ]; then chown "$2" "$1"; fi
echo "$did $(stat -c %u:%g "$1")"
`;

export const init: Verb = {
  name: "init",
  summary:
    "make each folder of the host that a volume names, with the right owner, by running a container of the image " +
    "(--image: of another one); check each variable that is taken from the environment",
  takesDomain: "never",
  options: ["image"],
  usesGateways: false,
  async run(session) {
    const isSetUp = tell(session, ["APPLICATION", "VARIABLE", ""], variables(session));
    const rows = await onEveryHost(session, (daemon, application) => folders(session, daemon, application));
    return tell(session, OUTCOME_HEADERS, rows) && isSetUp;
  },
};

/** Names only. */
function variables({ applications, environment }: Session): Row[] {
  return applications.flatMap(({ name, env }) =>
    env.flatMap((entry): Row[] => {
      if (entry.kind === "written") return [];
      if (isSet(environment, entry.name)) {
        const isEmpty = environment[entry.name] === "";
        return [{ cells: [name, entry.name, isEmpty ? "set, but empty" : "set"] }];
      }
      return [
        { cells: [name, entry.name, entry.optional ? "not set, may be left out" : "NOT SET"], failed: !entry.optional },
      ];
    }),
  );
}

async function folders(session: Session, daemon: Daemon, application: Application): Promise<Outcome> {
  const image = session.options.image ?? application.image;
  const volumes = application.volumes.filter(({ source }) => source?.startsWith("/") === true);
  if (image === undefined || volumes.length === 0) return { result: "no folders to make" };
  const owner = await ownerOf(daemon, application, image);
  const details: string[] = [];
  for (const { source = "", readOnly } of volumes) {
    const { dir, base } = posix.parse(source);
    const script = readOnly ? 'stat -c "exists %u:%g" "$1"' : SCRIPT;
    const bind: readonly [string, string] = [dir, "/on-host"];
    const said = await runOnce(daemon, { image, script, args: [`/on-host/${base}`, owner], binds: [bind] });
    details.push(`${source} ${said.trim().replace(" ", ", owner ")}`);
  }
  return { result: `ready, runs as ${owner}`, details };
}

/** Whom the container runs as: the file's `user`, else the image's own; for root and nobody said, the original's. */
async function ownerOf({ engine }: Daemon, { user, image }: Application, helper: string): Promise<string> {
  const own = user ?? (await imageUser(engine, image ?? helper));
  if (own === "" || /^(?:root|0)(?::|$)/.test(own)) return DEFAULT_OWNER;
  if (own.includes(":")) return own;
  // A name alone is followed by its own group.
  return /^\d+$/.test(own) ? `${own}:${own}` : `${own}:`;
}

async function imageUser(engine: Daemon["engine"], image: string): Promise<string> {
  try {
    return (await engine.ask((docker) => docker.getImage(image).inspect())).Config.User;
  } catch {
    // It is not there yet, and another image makes the folders.
    return "";
  }
}
