/** Telling what is not there from what cannot be read: a full table of open files must not pass for an empty folder. */

/** Whether an error says that there is nothing at a path. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

/** For the `catch` of a read: `value` where there is nothing to be read. @throws what else went wrong. */
export function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return value;
    throw error;
  };
}
