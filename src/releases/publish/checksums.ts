/** Files that hold the sum of one other, for whoever downloads only that: `docker.tgz.md5`, as `md5sum` writes and checks it (O-94). */
import type { ChecksumKind } from "../../config.ts";
import type { Manifest, ManifestFile } from "./manifest.ts";

export interface ChecksumFile {
  /** Beside the file that it is of. */
  readonly name: string;
  readonly text: string;
}

/** @param as where the file stands, where that is not its name in the version. */
export function checksumFiles(
  { sha256, md5, name }: ManifestFile,
  { checksums = [] }: Pick<Manifest, "checksums">,
  as = name,
): ChecksumFile[] {
  const base = as.slice(as.lastIndexOf("/") + 1);
  return checksums.flatMap((kind): ChecksumFile[] => {
    const sum = { sha256, md5 }[kind];
    return sum === undefined ? [] : [{ name: checksumName(as, kind), text: `${sum}  ${base}\n` }];
  });
}

export function checksumName(name: string, kind: ChecksumKind): string {
  return `${name}.${kind}`;
}
