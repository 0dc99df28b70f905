/** `docker build`, with either builder, and the registry behind it. What a RUN line printed itself is better, where it says something. */
import type { Rule } from "../rule.ts";

export const docker: readonly Rule[] = [
  {
    name: "docker: an image is not to be had",
    kind: "registry",
    pattern:
      /pull access denied|toomanyrequests|pull rate limit|manifest unknown|manifest for .+ not found|failed to resolve source metadata|unauthorized: authentication required|cannot be pulled \(/,
    weight: 92,
  },
  {
    name: "docker: the Dockerfile",
    kind: "build",
    pattern:
      /dockerfile parse error|[Uu]nknown instruction: |failed to parse stage name|target stage .+ could not be found/,
    weight: 89,
  },
  {
    name: "docker: a file is not in the context",
    kind: "build",
    pattern: /^(?:COPY|ADD) failed: |failed to (?:compute cache key|calculate checksum)/,
    weight: 88,
  },
  { name: "docker: the daemon is away", kind: "command", pattern: /Cannot connect to the Docker daemon/, weight: 88 },
  {
    name: "docker: the builder's own words",
    kind: "build",
    pattern: /^(?:ERROR: )?failed to solve: (?!process|executor)/,
    weight: 80,
  },
];
