/** A verb of `dcr`: what it is called, what it takes, what it does. The help and the command line read the same value. */
import type { OptionName } from "../options.ts";
import { UsageError } from "../options.ts";
import type { Session } from "../session.ts";
import { type Row, renderTable } from "../table.ts";

export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly takesDomain: "never" | "optional" | "required";
  /** Besides those that all have. */
  readonly options: readonly OptionName[];
  /** Whether the gateways are asked. */
  readonly usesGateways: boolean;
  /** @returns whether all went well; what it has to say it has written. */
  run(session: Session): Promise<boolean>;
}

/** Prints a table. @returns whether no row of it failed. */
export function tell(session: Session, headers: readonly string[], rows: readonly Row[]): boolean {
  if (rows.length > 0) session.output.write(renderTable(headers, rows));
  return rows.every(({ failed }) => failed !== true);
}

/** Asks, unless `--yes` was said. @throws UsageError where nobody can answer. */
export async function confirm({ options, ask }: Session, question: string): Promise<boolean> {
  if (options.yes) return true;
  if (ask === undefined) throw new UsageError(`This asks first (${question}), and nobody can answer here: say --yes.`);
  return /^y(?:es)?$/i.test((await ask(`${question} [y/N] `)).trim());
}

/** The names of all hosts, for questions. */
export function hostNames({ daemons }: Session): string {
  return daemons.map(({ name }) => name).join(", ");
}
