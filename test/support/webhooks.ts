/** Webhooks as GitHub, Gitea and GitLab send them, signed. */
import { createHmac, randomUUID } from "node:crypto";
import type { Heard, HookConfig, HookRequest, ReadHook } from "../../src/forge.ts";
import { configOf, NOW } from "./records.ts";

export const SECRET = "correct horse battery";

/** Two projects are built from the first repository, and one from a repository of the same name on each other forge. */
export const FORGES = `
github: { webhook_secret: ${SECRET} }
gitea:
  - { url: "https://git.example.org", webhook_secret: ${SECRET} }
  - { url: "https://other.example.org", webhook_secret: another }
gitlab: [{ url: "https://gitlab.example.org", webhook_secret: ${SECRET} }]
projects:
  engine: { repo: ., forge: "github:octo-team/engine" }
  engine-slow: { repo: ., forge: "github:Octo-Team/Engine" }
  on-gitea: { repo: ., forge: "gitea:git.example.org/octo-team/engine" }
  on-another: { repo: ., forge: "gitea:other.example.org/octo-team/engine" }
  on-gitlab: { repo: ., forge: "gitlab:gitlab.example.org/tools/build/engine" }
`;

export const A = "a".repeat(40);
export const B = "b".repeat(40);
export const ZEROS = "0".repeat(40);

export interface Sent {
  readonly headers: Record<string, string>;
  readonly body: string;
}

export function hmac(body: string, secret = SECRET): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

export function fromGithub(event: string, payload: unknown, headers: Record<string, string> = {}): Sent {
  const body = typeof payload === "string" ? payload : JSON.stringify(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-github-event": event,
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": `sha256=${hmac(body)}`,
      ...headers,
    },
    body,
  };
}

/** The same as a form (O-40), which is signed as it is sent. */
export function asForm(event: string, payload: unknown): Sent {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  return fromGithub(event, body, { "content-type": "application/x-www-form-urlencoded" });
}

export function fromGitea(event: string, payload: unknown, headers: Record<string, string> = {}): Sent {
  const body = JSON.stringify(payload);
  return {
    headers: {
      "content-type": "application/json",
      "x-gitea-event": event,
      "x-gitea-delivery": randomUUID(),
      "x-gitea-signature": hmac(body),
      ...headers,
    },
    body,
  };
}

export function fromGitlab(payload: unknown, headers: Record<string, string> = {}): Sent {
  return {
    headers: {
      "content-type": "application/json",
      "x-gitlab-event": "whatever",
      "idempotency-key": randomUUID(),
      "x-gitlab-token": SECRET,
      ...headers,
    },
    body: JSON.stringify(payload),
  };
}

export function readWith(
  read: ReadHook,
  { headers, body }: Sent,
  { config = configOf(FORGES), now = NOW }: { readonly config?: HookConfig; readonly now?: Date } = {},
): Heard {
  const request: HookRequest = { headers: new Headers(headers), body: Buffer.from(body), config, now };
  return read(request);
}

/** What GitHub says of a push, as far as anybody looks. */
export function githubPush(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    ref: "refs/heads/main",
    before: A,
    after: B,
    created: false,
    deleted: false,
    forced: false,
    commits: [{ id: B, message: "Fix it", added: ["new.go"], modified: ["go.mod"], removed: [] }],
    head_commit: { id: B, message: "Fix it" },
    pusher: { name: "ada", email: "ada@example.org" },
    sender: { login: "ada", type: "User" },
    repository: { full_name: "octo-team/engine", pushed_at: 1_770_000_000 },
    ...changes,
  };
}
