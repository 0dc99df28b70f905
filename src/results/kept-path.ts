/** Names from a container that are to become names of ours. */

/** What file systems take (NAME_MAX), and what is still a path that people can read. */
const PART_BYTES_MAX = 255;
const PATH_BYTES_MAX = 1_024;
const PATH_PARTS_MAX = 64;

/** Control characters, line and paragraph separators, and what turns the direction of text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** Why a relative path cannot be kept, as it follows the path: `climbs out of its folder`. `undefined` when it can. */
export function pathProblem(path: string): string | undefined {
  const parts = path.split("/");
  if (UNPRINTABLE.test(path)) return "has a control character in its name";
  if (path.includes("\\")) return "has a backslash in its name";
  if (parts.includes("..")) return "climbs out of its folder";
  if (parts.some((part) => part === "" || part === ".")) return "is no path of a file";
  if (parts.some((part) => Buffer.byteLength(part) > PART_BYTES_MAX)) return "has a name of over 255 bytes";
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return "has a path of over 1,024 bytes";
  if (parts.length > PATH_PARTS_MAX) return "lies in over 64 folders";
  return undefined;
}

/** Whether a file could not be written since its name, or that of its folder, is that of a folder or a file already. */
export function isNameTaken(error: unknown): boolean {
  const taken = ["EEXIST", "ENOTDIR", "EISDIR", "ENOTEMPTY"];
  return error instanceof Error && "code" in error && taken.includes(String(error.code));
}
