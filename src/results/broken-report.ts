/** A report that cannot be read, or only in part. */

/** The message says what is wrong, as it follows a file's name: `is cut off at line 812`. */
export class BrokenReport extends Error {
  override readonly name = "BrokenReport";
}
