/** What a look at a published version came to, in words. */
import { type Line, line } from "../../chat/reply.ts";
import { formatBytes, formatCount } from "../../units.ts";
import type { Verdict } from "./verify-release.ts";

/** With the first line, as many as a room is told (FACE.md). */
const LINES_TOLD = 3;

/** `✔ docker 0.9.0 is as it was signed · 3 files (12 MiB) · latest is 0.9.0 · link` */
export function verdictLines({ project, version, target, compared, latest, pointers }: Verdict, url: string): Line[] {
  const name = `${project} ${version}`;
  const latestWords = latest === undefined ? "" : `latest is ${latest}`;
  if (compared.kind === "absent") return [line("failed", [`${name} is not at ${target}`, latestWords])];
  if (compared.kind === "same") {
    const { manifest, bytes, signedAt } = compared;
    const count = manifest.files.length;
    const files = `${formatCount(count)} ${count === 1 ? "file" : "files"} (${formatBytes(bytes)})`;
    const follows =
      pointers === 0 ? "" : `${formatCount(pointers)} ${pointers === 1 ? "object follows" : "objects follow"} it`;
    const link = `${url}/releases/R${manifest.release}`;
    const signed = signedAt === undefined ? `${name} is as its sums say` : `${name} is as it was signed`;
    return [
      line("passed", [signed, files, signedAt === undefined ? "it has no signature" : "", latestWords, follows], link),
    ];
  }
  const { problems } = compared;
  const told = problems.slice(0, problems.length > LINES_TOLD ? LINES_TOLD - 1 : LINES_TOLD);
  const more = problems.length - told.length;
  return [
    line("failed", [`${name} is not what was signed`, target, latestWords]),
    ...told.map((problem) => line("info", [problem])),
    ...(more > 0 ? [line("info", [`and ${formatCount(more)} more`])] : []),
  ];
}
