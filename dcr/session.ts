/** What a verb is given: the applications, the hosts and gateways of the cluster, and the person's words and screen. */
import type { Writable } from "node:stream";
import { describeError, UserError } from "../src/errors.ts";
import type { Application } from "./application.ts";
import type { Daemon } from "./daemon.ts";
import type { Environment } from "./environment.ts";
import type { Gateway } from "./gateways/gateway.ts";
import type { Options } from "./options.ts";
import { type RegistryLogin, readLogin } from "./registry-login.ts";
import type { Cluster } from "./settings.ts";
import type { Row } from "./table.ts";

/** The world outside of the program. */
export interface Surroundings {
  readonly cwd: string;
  readonly environment: Environment;
  readonly output: Writable;
  /** Progress and complaints. */
  readonly errors: Writable & { readonly isTTY?: boolean };
  /** `undefined` where nobody can answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Ends what waits. */
  readonly signal: AbortSignal;
}

export interface Session extends Surroundings {
  readonly applications: readonly Application[];
  readonly cluster: Cluster;
  readonly daemons: readonly Daemon[];
  readonly gateways: readonly Gateway[];
  readonly domain: string | undefined;
  readonly options: Options;
}

/** What came of one application on one host. */
export interface Outcome {
  readonly result: string;
  readonly details?: readonly string[];
  readonly failed?: boolean;
}

export const OUTCOME_HEADERS = ["HOST", "CONTAINER", "RESULT"];

/**
 * Does something with every application on every host: hosts side by side, the applications of one in the file's order, or
 * backwards. @param each what it throws is that row's failure.
 * @param chained whether what comes after a failure on the same host is left out.
 */
export async function onEveryHost(
  { daemons, applications }: Pick<Session, "daemons" | "applications">,
  each: (daemon: Daemon, application: Application) => Promise<Outcome>,
  { backwards = false, chained = false }: { backwards?: boolean; chained?: boolean } = {},
): Promise<Row[]> {
  const order = backwards ? applications.toReversed() : applications;
  const rows = await Promise.all(
    daemons.map(async (daemon) => {
      const outcomes: Row[] = [];
      let broken: string | undefined;
      for (const application of order) {
        const { container } = application;
        const outcome =
          broken === undefined
            ? await attempt(async () => {
                await daemon.reach();
                return await each(daemon, application);
              }, daemon)
            : { result: `left out, because of ${broken}`, failed: true };
        if (chained && outcome.failed === true) broken ??= container;
        outcomes.push(toRow([daemon.name, container], outcome));
      }
      return outcomes;
    }),
  );
  return rows.flat();
}

export function toRow(names: readonly string[], { result, details = [], failed = false }: Outcome): Row {
  return { cells: [...names, result], more: details, failed };
}

/** A failure is an outcome; only an interruption goes on up. */
export async function attempt(run: () => Promise<Outcome>, daemon?: Daemon): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    // What is wrong with the files is wrong on every host, and told once.
    if (error instanceof Error && error.name === "ConfigError") throw error;
    const explained = daemon?.explain(error) ?? error;
    const reason = explained instanceof Error ? explained.message : describeError(explained);
    return { result: `failed: ${reason}`, failed: true };
  }
}

/** The login for an application's image: its own, else the cluster's. */
export function loginFor(session: Session, application: Application): RegistryLogin | undefined {
  const template = application.registryLogin ?? session.cluster.registryLogin;
  return template === undefined ? undefined : readLogin(template, application.image ?? "", session.environment);
}

/** The one application that a domain stands for, and its name (O-152). @throws UserError. */
export function registered(session: Session): readonly { application: Application; domain: string }[] {
  const { applications, cluster, domain } = session;
  const found = applications.filter(({ register }) => register !== undefined);
  if (found.length === 0)
    throw new UserError('No application in this file has "register:", the port that gateways use.');
  if (domain === undefined) {
    const [base] = cluster.baseDomains;
    if (base === undefined) throw new UserError("Say a domain, or give the cluster a base_domain in settings.yml.");
    return found.map((application) => ({ application, domain: `${application.release}.${base}`.toLowerCase() }));
  }
  const [application, other] = found;
  if (application === undefined) return [];
  if (other !== undefined) {
    const names = found.map(({ name }) => name).join(" or ");
    throw new UserError(`Several applications have "register:"; say which one ${domain} is for: --only ${names}.`);
  }
  return [{ application, domain }];
}
