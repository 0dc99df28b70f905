/** Where in a bucket the objects of a version stand, by the templates of the configuration. */
import type { Bucket, ReleaseConfig } from "../../config.ts";
import type { ProjectName } from "../../names.ts";
import { Version } from "../release.ts";

/** Nights stand beside the versions, and have a pointer of their own. */
export const NIGHTLY_LAYOUT = "{project}/nightly/{date}/{file}";
export const NIGHTLY_LATEST = "{project}/nightly/latest";

/** Where one version is published. */
export interface Place {
  readonly bucket: Bucket;
  /** What the keys of the version's objects begin with; no other version's do. */
  readonly prefix: string;
  /** The object that says which version is the latest. */
  readonly latestKey: string;
  /** The template of the keys of copies that always are the latest; only {file} is left in it. */
  readonly latestFiles: string | undefined;
  /** Keys, and templates of keys, that follow `latest`: what a plan says of them. Undefined where nothing does. */
  readonly pointers: readonly string[] | undefined;
  readonly version: Version;
  /** `s3://test.example.org/docker/0.9.0/` */
  readonly target: string;
}

/** The version of a night is its date, which no version of a release is. */
export function isNight(version: Version): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(version);
}

export function placeOf(config: ReleaseConfig, project: ProjectName, version: Version): Place {
  const night = isNight(version) ? config.nightly : undefined;
  const bucket = night?.target ?? config.target;
  const layout = isNight(version) ? (night?.layout ?? NIGHTLY_LAYOUT) : config.layout;
  const prefix = filled(layout, { project, version, date: version, file: "" });
  const latestKey = latestKeyOf(config, project, isNight(version) ? "nightly" : "release");
  const written = isNight(version) ? night?.latestFiles : config.latestFiles;
  const latestFiles = written === undefined ? undefined : filled(written, { project });
  const others = isNight(version) ? [] : [...config.index.map(({ to }) => to), ...Object.keys(config.redirects)];
  const pointers = [
    ...(latestFiles === undefined ? [] : [latestFiles]),
    ...others.map((key) => filled(key, { project })),
  ];
  return {
    ...{ bucket, prefix, latestKey, latestFiles, version, target: `s3://${bucket.bucket}/${prefix}` },
    pointers: pointers.length === 0 ? undefined : pointers,
  };
}

/** Whether a key lies where a version is published: nothing that is there ever changes. */
export function isOfVersion(config: ReleaseConfig, project: ProjectName, key: string): boolean {
  const layouts = [
    [config.layout, "version"],
    [config.nightly?.layout ?? NIGHTLY_LAYOUT, "date"],
  ] as const;
  return layouts.some(([layout, name]) => {
    const [before = "", after = ""] = filled(layout, { project, file: "" }).split(`{${name}}`);
    const rest = key.startsWith(before) ? key.slice(before.length) : "";
    const version = rest.slice(0, rest.indexOf(after));
    return rest.includes(after) && Version.safeParse(version).success;
  });
}

export function latestKeyOf(config: ReleaseConfig, project: ProjectName, of: "release" | "nightly"): string {
  return filled(of === "release" ? config.latest : (config.nightly?.latest ?? NIGHTLY_LATEST), { project });
}

/** Names in braces that `values` has are replaced by theirs; what else stands in braces is left as it is. */
export function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{([a-z]+)\}/g, (whole, name: string) => values[name] ?? whole);
}
