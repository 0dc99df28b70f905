/** What an archive of an older format needs to be read by this version. */
import { RuntimeError } from "../errors.ts";
import { FORMAT, type Header } from "./format.ts";

/** Makes of an unpacked archive of one format one of the next; the folder is as `unpack` left it. */
export type Migration = (folder: string) => Promise<void>;

/** By the format that it starts from. The first format is the only one so far. */
const MIGRATIONS: ReadonlyMap<number, Migration> = new Map();

/** @throws RuntimeError where there is no way. @returns how many steps it took. */
export async function migrate(
  folder: string,
  { format, version }: Pick<Header, "format" | "version">,
  { to = FORMAT, migrations = MIGRATIONS }: { to?: number; migrations?: ReadonlyMap<number, Migration> } = {},
): Promise<number> {
  for (let at = format; at < to; at += 1) {
    const step = migrations.get(at);
    if (step === undefined) {
      throw new RuntimeError(
        `it was made by docker-ci ${version} in format ${format}, which this version cannot read any more`,
        { retryable: false },
      );
    }
    await step(folder);
  }
  return Math.max(0, to - format);
}
