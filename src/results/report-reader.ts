/** What reads one format of coverage reports, given its bytes piece by piece. */
import type { CoverageReport } from "./coverage.ts";

/** Both throw BrokenReport; nothing may be called after that. */
export interface ReportReader {
  push(chunk: Buffer): void;
  /** The whole report has been given. */
  end(): CoverageReport;
}
