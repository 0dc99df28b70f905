/** What `docker-ci check` says of a project's forge: whether its token is taken, and what it is used for. */
import type { Config, Forge, Project } from "../config.ts";
import type { Probed } from "../forge.ts";
import { forgeAccess } from "../triggers/forge-rooms.ts";
import type { Adapters } from "./adapters.ts";
import { DEADLINE_MS, type Row, reason } from "./check-row.ts";

/** The repository as its token sees it. Sets no status: there is no commit that one could be tried on. */
export async function checkForge(
  adapters: Pick<Adapters, "forgeApis">,
  config: Config,
  { name, forge }: Project,
  print: (row: Row) => void,
): Promise<void> {
  const api = forge === undefined ? undefined : adapters.forgeApis(config)(forge);
  if (forge === undefined || api === undefined) return;
  const what = `${forge.kind} ${name}`;
  const repository = `${forge.owner}/${forge.name}`;
  try {
    const probed = await api.probe(forge, AbortSignal.timeout(DEADLINE_MS));
    print({ what, state: "works", detail: `${repository}, for ${uses(config, forge).join(", ")}` });
    for (const detail of lacks(forge, probed)) print({ what, state: "warning", detail });
  } catch (error) {
    print({ what, state: "fails", detail: reason(error) });
  }
}

function uses(config: Config, forge: Forge): string[] {
  const access = forgeAccess(config, forge);
  return [
    ...(access?.statuses === true ? ["statuses of its commits"] : []),
    ...(access?.comment === true ? ["comments with the result on pull requests"] : []),
    // GitHub's webhooks say it.
    ...(forge.kind === "github" ? [] : ["asking who may say /test"]),
  ];
}

function lacks({ kind, owner }: Forge, { mayWrite, mayAsk }: Probed): string[] {
  return [
    // An app's token may set statuses without it.
    ...(mayWrite ? [] : ["the token may not push there: statuses may be refused"]),
    ...(mayAsk || kind === "github"
      ? []
      : [`the token is no administrator's of it: nobody but ${owner} may say /test there`]),
  ];
}
