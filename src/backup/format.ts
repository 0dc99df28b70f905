/**
 * What a backup looks like: a tar of `backup.json` (what it is), the records, the files of the data folder, and `manifest.json`
 * (the hash of each) as its end. https://datatracker.ietf.org/doc/html/rfc1952 for what is around it, members.ts.
 */
import { z } from "zod";
import { BuildNumber } from "../names.ts";

/** Raised when what is in an archive changes its shape; migrations.ts then says how an older one becomes a newer one. */
export const FORMAT = 1;

export const HEADER_ENTRY = "backup.json";
export const RECORDS_ENTRY = "records.jsonl";
export const CONFIG_ENTRY = "config/docker-ci.yml";
export const MANIFEST_ENTRY = "manifest.json";
/** In front of the paths of the data folder. */
export const DATA_PREFIX = "data/";

/** The first entry. Not strict: a newer version may say more, and is then told by its number. */
export const Header = z.object({
  format: z.number().int().positive(),
  version: z.string(),
  instance: z.string(),
  madeAt: z.iso.datetime(),
});
export type Header = z.infer<typeof Header>;

const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/** What the records came to. */
export const RecordsSummary = z.strictObject({
  keys: z.number().int().nonnegative(),
  builds: z.number().int().nonnegative(),
  newest: BuildNumber.optional(),
  /** Entries of the audit log. */
  audit: z.number().int().nonnegative(),
});
export type RecordsSummary = z.infer<typeof RecordsSummary>;

export const Manifest = z.strictObject({
  records: RecordsSummary,
  /** Of all that lasts, whatever a backup itself changes left out: two of one content need not both be kept. */
  content: Hash,
  /** In the order of the archive. */
  files: z.array(
    z.union([
      z.strictObject({ path: z.string(), bytes: z.number().int().nonnegative(), sha256: Hash }),
      z.strictObject({ path: z.string(), link: z.string() }),
    ]),
  ),
});
export type Manifest = z.infer<typeof Manifest>;
