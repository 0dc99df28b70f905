/** The `Range:` header of a request (RFC 9110, 14.2). */

/**
 * The one range that is asked for, both ends counted; undefined for what is to be ignored: several, or none that is well-formed.
 * @param size of the whole.
 */
export function rangeOf(
  header: string,
  size: number,
): { readonly first: number; readonly last: number } | "outside" | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  const [, first = "", last = ""] = found ?? [];
  if (found === null || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Number(last);
    return length === 0 || size === 0 ? "outside" : { first: Math.max(0, size - length), last: size - 1 };
  }
  if (last !== "" && Number(last) < Number(first)) return undefined;
  if (Number(first) >= size) return "outside";
  return { first: Number(first), last: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
