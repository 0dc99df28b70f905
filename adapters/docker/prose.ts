/** Where the Engine and its builders offer only prose, it is matched here, each time beside the message it is made for. */
import { RuntimeError } from "../../src/errors.ts";
import type { ImageBuildResult } from "../../src/runtime.ts";

/** Why a registry or another server could not be used: what the message says, and how people say it. */
const NETWORK: readonly (readonly [pattern: RegExp, reason: string, retryable: boolean])[] = [
  // dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host
  [/no such host/, "no such host", true],
  // dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution; … server misbehaving
  [/Temporary failure in name resolution|server misbehaving/, "the name server does not answer", true],
  // dial tcp 127.0.0.1:5000: connect: connection refused
  [/connection refused/, "connection refused", true],
  // dial tcp 10.1.1.1:443: connect: no route to host; … network is unreachable
  [/no route to host|network is unreachable/, "no route to host", true],
  // dial tcp: i/o timeout; net/http: TLS handshake timeout; request canceled while waiting for connection
  [/i\/o timeout|TLS handshake timeout|while waiting for connection|deadline exceeded/, "no answer in time", true],
  // x509: certificate signed by unknown authority
  [/x509: (.*)/, "its certificate is not trusted", false],
  // toomanyrequests: You have reached your pull rate limit
  [/toomanyrequests|429 Too Many Requests/, "too many requests", true],
  // pull access denied for nope, repository does not exist or may require 'docker login': denied: …
  [/pull access denied|insufficient_scope|repository does not exist/, "it does not exist, or takes a login", false],
  // unauthorized: authentication required; no basic auth credentials
  [/unauthorized|no basic auth credentials|401 Unauthorized/, "it takes a login", false],
  // manifest for alpine:nope not found: manifest unknown; docker.io/library/alpine:nope: not found
  [/manifest unknown|manifest for .* not found|: not found/, "not found", false],
  // no matching manifest for linux/arm64/v8 in the manifest list entries
  [/no matching manifest|no match for platform/, "there is none for this machine's processor", false],
  // Get "http://registry:5000/v2/": http: server gave HTTP response to HTTPS client
  [/server gave HTTP response/, "the registry does not speak HTTPS", false],
  [/EOF|connection reset|5\d\d (Bad Gateway|Service Unavailable|Internal Server Error)/, "the connection broke", true],
];

/** What a failed pull comes down to. */
export function pullFailure(reference: string, said: string, cause?: unknown): RuntimeError {
  const known = NETWORK.find(([pattern]) => pattern.test(said));
  const reason = known?.[1] ?? said.replace(/^the Docker Engine refuses: /, "");
  return new RuntimeError(`image ${reference} cannot be pulled (${reason})`, {
    cause: cause ?? new Error(said),
    retryable: known?.[2] ?? true,
  });
}

/** How a build failed, as far as the builder told. */
export interface BuildTrouble {
  readonly said: string;
  /** The classic builder's `errorDetail.code`. */
  readonly code: number | undefined;
  /** The instruction that was at work, `COPY a /b`. */
  readonly instruction: string | undefined;
  /** The image of the last FROM before the trouble. */
  readonly from: string | undefined;
}

/** Whose fault it is: the Dockerfile's, which is a result, or ours, which is an error. */
export function buildFailure({ said, code, instruction, from }: BuildTrouble): ImageBuildResult | RuntimeError {
  // classic: The command '/bin/sh -c exit 3' returned a non-zero code: 3
  // 20.10:   executor failed running [/bin/sh -c exit 3]: exit code: 3
  // newer:   failed to solve: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3
  const run =
    /^The command '(.*)' returned a non-zero code: (\d+)/s.exec(said) ??
    /(?:executor failed running \[|process ")(.*)(?:\]|" did not complete successfully): exit code: (\d+)/s.exec(said);
  if (run !== null) {
    const command = (run[1] ?? "").replace(/^\/bin\/sh -c /, "");
    const exitCode = code ?? Number(run[2]);
    return { kind: "failed", message: `${shorten(`RUN ${command}`)} failed with exit code ${exitCode}`, exitCode };
  }
  // write /var/lib/docker/…: no space left on device
  if (said.includes("no space left on device"))
    return new RuntimeError("the Docker Engine's disk is full", asCause(said));
  // context canceled; no active sessions; transport is closing; graceful_stop: what a stopping Engine says
  if (/context canceled|no active session|transport is closing|graceful.stop/.test(said)) {
    return new RuntimeError("the Docker Engine gave the build up", asCause(said));
  }
  // classic: pull access denied for x, …; Get "https://registry-1.docker.io/v2/": dial tcp: …; manifest for x not found
  // 20.10:   failed to do request: Head "https://registry-1.docker.io/v2/library/x/manifests/1": dial tcp: …
  // newer:   x:1: failed to resolve source metadata for docker.io/library/x:1: …
  const isPull =
    /pull access denied|manifests\/|manifest unknown|manifest for|failed to resolve source metadata|failed to authorize|\/v2\/"|docker\.io\/.*: not found/;
  const needed = imageIn(said) ?? from;
  if (isPull.test(said) && needed !== undefined) return pullFailure(needed, said);
  // ADD https://nope.invalid/x: … dial tcp: lookup nope.invalid: no such host
  const network = /dial tcp|net\/http|TLS handshake/.test(said) && NETWORK.find(([pattern]) => pattern.test(said));
  if (network) return new RuntimeError(`the build cannot reach what it needs (${network[1]})`, asCause(said));
  return { kind: "failed", message: dockerfileFault(said, instruction), exitCode: undefined };
}

/** The Dockerfile's mistake without the names of the builder's parts in front. */
function dockerfileFault(said: string, instruction: string | undefined): string {
  const text = said
    .replace(
      /^(failed to solve(?: with frontend \S+)?: |failed to create LLB definition: |rpc error: .*? desc = )+/,
      "",
    )
    .replace(/^failed to (?:compute cache key|load cache key): (?:failed to calculate checksum of ref \S+: )?/, "")
    .replace(/: not found$/, "")
    .trim();
  // classic: Cannot locate specified Dockerfile: x
  // 20.10:   failed to read dockerfile: open /var/lib/docker/tmp/buildkit-mount123/x: no such file or directory
  const missing =
    /^(?:Cannot locate specified Dockerfile: |failed to read dockerfile: open (?:\/.*?buildkit-mount\d+\/)?)(.*?)(?:: no such file.*)?$/.exec(
      text,
    );
  if (missing !== null) return `there is no ${missing[1]} in the build's context`;
  // classic: COPY failed: file not found in build context or excluded by .dockerignore: stat nofile: file does not exist
  // BuildKit: "/nofile" not found
  // BuildKit 20.10: stat /var/lib/docker/tmp/buildkit-mount123/nofile: no such file or directory
  const absent =
    /stat (?:\/\S*?buildkit-mount\d+\/)?(\S+): (?:file does not exist|no such file)|^"\/?([^"]+)"(?:: )?(?: not found)?$/.exec(
      text,
    );
  if (absent !== null && instruction !== undefined) {
    return `${shorten(instruction)}: there is no ${absent[1] ?? absent[2]} in the build's context`;
  }
  if (/^(dockerfile parse error|failed to parse|file with no instructions|target stage|failed to reach)/i.test(text))
    return text;
  return instruction === undefined ? text : `${shorten(instruction)}: ${text}`;
}

/** `docker.io/library/golang:1.22` as a Dockerfile has it, from a registry's address or from BuildKit's own words. */
function imageIn(said: string): string | undefined {
  const address = /https?:\/\/([^/"]+)\/v2\/([^"]+)\/manifests\/([^"\s:]+)/.exec(said);
  const metadata = /source metadata for (\S+?):? /.exec(said);
  const denied = /pull access denied for ([^\s,]+)|manifest for (\S+) not found/.exec(said);
  const host = address?.[1] === "registry-1.docker.io" ? "docker.io" : address?.[1];
  const found = address ? `${host}/${address[2]}:${address[3]}` : (metadata?.[1] ?? denied?.[1] ?? denied?.[2]);
  return found?.replace(/^docker\.io\/(library\/)?/, "");
}

function asCause(said: string): ErrorOptions {
  return { cause: new Error(said) };
}

/** The first line, and no more of it than fits a chat line beside other words. */
function shorten(instruction: string): string {
  const line = instruction.split("\n", 1)[0] ?? "";
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
