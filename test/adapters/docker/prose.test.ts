/** The messages of several Engines, and what people are told. */
import { describe, expect, it } from "vitest";
import { buildFailure, pullFailure } from "../../../adapters/docker/prose.ts";

const fault = (said: string, instruction?: string, from?: string) => {
  const outcome = buildFailure({ said, code: undefined, instruction, from });
  if (outcome instanceof Error) return outcome.message;
  return outcome.kind === "failed" ? [outcome.message, outcome.exitCode] : outcome;
};

describe("a failed build", () => {
  it.each([
    ["The command '/bin/sh -c npm ci' returned a non-zero code: 137", "RUN npm ci failed with exit code 137", 137],
    ["executor failed running [/bin/sh -c npm ci]: exit code: 1", "RUN npm ci failed with exit code 1", 1],
    [
      'failed to solve: process "/bin/sh -c npm ci" did not complete successfully: exit code: 2',
      "RUN npm ci failed with exit code 2",
      2,
    ],
    ["executor failed running [/bin/sh -c a\n b]: exit code: 1", "RUN a failed with exit code 1", 1],
    [
      "failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN",
      "dockerfile parse error on line 2: unknown instruction: RUNN",
      undefined,
    ],
    [
      "failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory",
      "there is no Dockerfile in the build's context",
      undefined,
    ],
  ])("%s", (said, message, exitCode) => {
    expect(fault(said)).toEqual([message, exitCode]);
  });

  it("names the file that a COPY misses, whatever the builder calls it", () => {
    const message = ["COPY a /b: there is no a in the build's context", undefined];
    const said = [
      'failed to compute cache key: "/a" not found: not found',
      'failed to solve: failed to compute cache key: failed to calculate checksum of ref 12::34: "/a": not found',
      "COPY failed: file not found in build context or excluded by .dockerignore: stat a: file does not exist",
    ];
    expect(said.map((line) => fault(line, "COPY a /b"))).toEqual([message, message, message]);
  });

  it.each([
    [
      'failed to do request: Head "https://registry-1.docker.io/v2/library/golang/manifests/1.22": dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host',
      "image golang:1.22 cannot be pulled (no such host)",
    ],
    [
      "failed to solve: golang:1.22: failed to resolve source metadata for docker.io/library/golang:1.22: failed to do request: dial tcp 1.2.3.4:443: i/o timeout",
      "image golang:1.22 cannot be pulled (no answer in time)",
    ],
    [
      "failed to solve: gone/image:9: failed to resolve source metadata for docker.io/gone/image:9: docker.io/gone/image:9: not found",
      "image gone/image:9 cannot be pulled (not found)",
    ],
    [
      "pull access denied for nope, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      "image nope cannot be pulled (it does not exist, or takes a login)",
    ],
    [
      "manifest for alpine:nope not found: manifest unknown: manifest unknown",
      "image alpine:nope cannot be pulled (not found)",
    ],
    ["write /var/lib/docker/tmp/x: no space left on device", "the Docker Engine's disk is full"],
    ["rpc error: code = Canceled desc = context canceled", "the Docker Engine gave the build up"],
    [
      'ADD failed: Get "https://x.invalid/": dial tcp: lookup x.invalid: no such host',
      "the build cannot reach what it needs (no such host)",
    ],
  ])("is ours to try again: %s", (said, message) => {
    expect(fault(said)).toBe(message);
  });
});

describe("a failed pull", () => {
  it.each([
    ["toomanyrequests: You have reached your pull rate limit.", "too many requests", true],
    ["x509: certificate signed by unknown authority", "its certificate is not trusted", false],
    ["something never heard of", "something never heard of", true],
  ])("%s", (said, reason, retryable) => {
    const failure = pullFailure("golang:1.22", said);
    expect([failure.message, failure.retryable]).toEqual([`image golang:1.22 cannot be pulled (${reason})`, retryable]);
  });
});
