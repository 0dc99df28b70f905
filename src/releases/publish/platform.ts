/** The operating system and the processor that a path names, in the words under which they are published (O-95). */

/** What a template may want of a path, and what the path gave. */
export interface Platform {
  readonly os: string | undefined;
  readonly arch: string | undefined;
}

type Names = Readonly<Record<string, string>>;

/**
 * From `cross/linux/amd64/docker-0.9.0` with the tables `Linux` and `x86_64`. Where several parts are names, the last counts: what
 * is nearest to the file is said of it.
 */
export function platformOf(path: string, osNames: Names, archNames: Names): Platform {
  const words = path
    .toLowerCase()
    .split(/[^a-z0-9_]+/)
    .flatMap((word) => [...word.split("_"), word]);
  const last = (names: Names): string | undefined => {
    const word = words.findLast((part) => Object.hasOwn(names, part));
    return word === undefined ? undefined : names[word];
  };
  return { os: last(osNames), arch: last(archNames) };
}
