/** A repository's address as git is given it, and as people may see it. */
import { createHash } from "node:crypto";

/** `key` names its cache; `shown` has no credentials. */
export interface Address {
  readonly kind: "local" | "ssh" | "remote";
  readonly git: string;
  readonly shown: string;
  readonly key: string;
  /** What git is told beside the address: a password stands in no command line, where every user could read it. */
  readonly env: Readonly<Record<string, string>>;
}

/** Hands out what the environment holds, to the one server that it is for. */
const HELPER = `!f() { printf 'username=%s\\npassword=%s\\n' "$REPOSITORY_USER" "$REPOSITORY_PASSWORD"; }; f`;

/** @param repo an absolute path, `file://…`, a URL, or ssh's short form `git@host:path`. */
export function parseAddress(repo: string): Address {
  const path = localPath(repo);
  if (path !== undefined) return { kind: "local", git: path, shown: path, key: keyOf(path), env: {} };
  if (!URL.canParse(repo) || !repo.includes("://")) {
    return { kind: "ssh", git: repo, shown: repo, key: keyOf(repo), env: {} };
  }
  const url = new URL(repo);
  const { username, password } = url;
  url.password = "";
  if (url.protocol.startsWith("ssh"))
    return { kind: "ssh", git: url.href, shown: url.href, key: keyOf(url.href), env: {} };
  url.username = "";
  const env: Record<string, string> = {};
  if (username !== "" || password !== "") {
    env.REPOSITORY_USER = decodeURIComponent(username);
    env.REPOSITORY_PASSWORD = decodeURIComponent(password);
    env.GIT_CONFIG_COUNT = "1";
    env.GIT_CONFIG_KEY_0 = `credential.${url.protocol}//${url.host}.helper`;
    env.GIT_CONFIG_VALUE_0 = HELPER;
  }
  return { kind: "remote", git: url.href, shown: url.href, key: keyOf(`${username}@${url.href}`), env };
}

/** The path of a repository on this machine; `file://` says the same in other words. */
function localPath(repo: string): string | undefined {
  if (repo.startsWith("/")) return repo;
  return repo.startsWith("file:///") ? decodeURIComponent(new URL(repo).pathname) : undefined;
}

function keyOf(address: string): string {
  return createHash("sha256").update(address).digest("hex").slice(0, 40);
}
