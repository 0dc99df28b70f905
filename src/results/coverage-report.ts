/** A coverage report of any of the common tools, told apart by its content. */
import type { Readable } from "node:stream";
import { BrokenReport } from "./broken-report.ts";
import type { CoverageReport } from "./coverage.ts";
import { GoCoverReader } from "./go-cover.ts";
import { IstanbulReader } from "./istanbul.ts";
import { LcovReader } from "./lcov.ts";
import type { ReportReader } from "./report-reader.ts";
import { XmlCoverageReader } from "./xml-coverage.ts";

/** As much as is looked at before a report has to say what it is. */
const HEAD_BYTES = 1_024;
const KNOWN = "lcov, Cobertura, Clover, a Go cover profile or Istanbul's JSON";

/**
 * Reads lcov, Cobertura, Clover, Go cover profiles and Istanbul's JSON as they come; a file that stands in a report several times
 * has its counts added.
 * @throws BrokenReport for what is none of them, or is cut off; and what the source fails with.
 */
export async function readCoverageReport(source: Readable): Promise<CoverageReport> {
  let head: Buffer = Buffer.alloc(0);
  let reader: ReportReader | undefined;
  for await (const piece of source) {
    const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece);
    if (reader !== undefined) {
      reader.push(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < HEAD_BYTES) continue;
    reader = readerOf(head);
    reader.push(withoutMark(head));
  }
  if (reader === undefined) {
    reader = readerOf(head);
    reader.push(withoutMark(head));
  }
  return reader.end();
}

function readerOf(head: Buffer): ReportReader {
  if (head.length === 0) throw new BrokenReport("is empty");
  if (isUtf16(head)) return new XmlCoverageReader();
  const text = withoutMark(head).toString("latin1", 0, HEAD_BYTES).trimStart();
  if (text.startsWith("<")) return new XmlCoverageReader();
  if (text.startsWith("{")) return new IstanbulReader();
  if (text.startsWith("mode: ")) return new GoCoverReader();
  if (/^(?:TN:|SF:|VER:|#)/.test(text)) return new LcovReader();
  throw new BrokenReport(text === "" ? "is empty" : `is not ${KNOWN}`);
}

function isUtf16(head: Buffer): boolean {
  return (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
}

/** UTF-8 may begin with a byte order mark, which means nothing. */
function withoutMark(head: Buffer): Buffer {
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? head.subarray(3) : head;
}
