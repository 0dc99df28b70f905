/** One test of a report, whatever tool wrote the report. */
import { z } from "zod";

/** A failure's message is cut here, so that a report cannot fill a disk with one line. */
export const MESSAGE_LENGTH = 2_000;

/** Names a test within a project; the same from one build to the next. */
export const TestName = z.strictObject({
  /** The class, package, file or describe block that it stands in; "" where the report names none. */
  suite: z.string(),
  name: z.string(),
});
export type TestName = z.infer<typeof TestName>;

export const TestCase = TestName.extend({
  state: z.enum(["passed", "failed", "skipped"]),
  durationMs: z.number().nonnegative(),
  /** Where it stands in the sources, where the report says so. */
  file: z.string().optional(),
  line: z.number().int().positive().optional(),
  /** Of a failure: what the tool says, its first line the most telling. */
  message: z.string().optional(),
  /** It failed, and passed when the tool itself ran it once more (Maven's `flakyFailure`). */
  flaky: z.boolean().optional(),
});
export type TestCase = z.infer<typeof TestCase>;

/** A failing test as a record keeps it. */
export const FailingTest = TestCase.omit({ state: true, durationMs: true, flaky: true });
export type FailingTest = z.infer<typeof FailingTest>;

/** One text for a test, for maps and sets: no name contains a NUL. */
export function testKey({ suite, name }: TestName): string {
  return `${suite}\0${name}`;
}

/** The address of a Go module, which is the same before all of its packages. */
const MODULE = /^(?:[\w-]+\.)+[a-z]{2,}\/[^/]+\/[^/]+\/(?:v\d+\/)?(?=[^/])/;

/** For people: `registry/handlers › TestBlobUpload`, or the name alone. */
export function testLabel({ suite, name }: TestName): string {
  return suite === "" ? name : `${suiteLabel(suite)} › ${name}`;
}

/** `registry/handlers` for `github.com/x/y/v3/registry/handlers`. */
export function suiteLabel(suite: string): string {
  return suite.replace(MODULE, "");
}
