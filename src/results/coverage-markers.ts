/**
 * The markers of the original's scripts (ORIGINAL.md 4.7): `COVERAGE_PATH=docker-20140301120000` or `COVERAGE_FILE=…` in the
 * output of a step, also as its shell's trace shows it, names the report that the step leaves under `/data`.
 */

export interface CoverageMarker {
  readonly kind: "path" | "file";
  readonly name: string;
}

export interface MarkerScan {
  /** The step's output, in any pieces. */
  push(bytes: Uint8Array): void;
  /** Each name once, in the order in which they came; ten at the most. */
  markers(): readonly CoverageMarker[];
}

/** The name becomes part of a path and of an address. */
const MARKER =
  /^(?:\++ )?(?:(?:export|declare|local) )?COVERAGE_(PATH|FILE)=(['"]?)([A-Za-z0-9][A-Za-z0-9._-]{0,127})\2;?\s*$/;
const WANTED = Buffer.from("COVERAGE_");
const NEWLINE = 10;
/** A marker's line is shorter; of longer ones the rest is not kept. */
const LINE_LENGTH_MAX = 256;
const MARKERS_MAX = 10;

export function createMarkerScan(): MarkerScan {
  const found = new Map<string, CoverageMarker>();
  let carried: Uint8Array = new Uint8Array(0);
  const read = (line: Uint8Array): void => {
    const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
    if (found.size >= MARKERS_MAX || bytes.length > LINE_LENGTH_MAX || !bytes.includes(WANTED)) return;
    const [, kind, , name] = MARKER.exec(bytes.toString().trimEnd()) ?? [];
    if (name !== undefined) found.set(name, { kind: kind === "PATH" ? "path" : "file", name });
  };
  return {
    push(bytes) {
      let from = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
        read(carried.length === 0 ? bytes.subarray(from, end) : Buffer.concat([carried, bytes.subarray(from, end)]));
        carried = new Uint8Array(0);
        from = end + 1;
      }
      // One byte more than allowed tells a line that is too long from one that is not.
      const room = LINE_LENGTH_MAX + 1 - carried.length;
      if (room > 0) carried = Buffer.concat([carried, bytes.subarray(from, from + room)]);
    },
    markers() {
      read(carried);
      return [...found.values()];
    },
  };
}

/** Where in the container the report of a marker may be: the folder of HTML that the old scripts wrote. */
export function markerFolder({ name }: CoverageMarker): string {
  return `/data/${name}`;
}

/** O-62: the project of a report's name, up to the first `-` before digits: `docker-registry-20140301` is docker-registry's. */
export function markerProject(name: string): string | undefined {
  return /^(.+?)-\d/.exec(name)?.[1];
}
