/** What an `Authorization` header holds, and whether it is right. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { WebConfig } from "../../config.ts";
import type { Login } from "./visitor.ts";

export interface Proven {
  readonly account: string;
  readonly login: Exclude<Login, "proxy">;
}

/** Whether a name and a password, or a token, can be shown at all. */
export function takesCredentials({ user, tokens }: Pick<WebConfig, "user" | "tokens">): boolean {
  return user !== undefined || tokens.size > 0;
}

/** Whose they are; undefined for wrong ones. Takes as long for a wrong name or a wrong letter as for the right ones. */
export function checkCredentials(header: string, { user, password, tokens }: WebConfig): Proven | undefined {
  const [, scheme = "", given = ""] = /^(\S+) +(\S+) *$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case "basic": {
      const text = Buffer.from(given, "base64").toString("utf8");
      const colon = text.indexOf(":");
      const rightName = same(text.slice(0, Math.max(0, colon)), user ?? "");
      const rightPassword = same(text.slice(colon + 1), password?.reveal() ?? "");
      const isRight = rightName && rightPassword && colon > 0 && user !== undefined && password !== undefined;
      return isRight ? { account: user, login: "password" } : undefined;
    }
    case "bearer": {
      // All of them are compared: the time tells neither which it is nor how many there are before it.
      const [name] = [...tokens].filter(([, token]) => same(given, token.reveal())).map(([known]) => known);
      return name === undefined ? undefined : { account: name, login: "token" };
    }
    default:
      return undefined;
  }
}

/** What a form must bring to be sent in that person's name: nobody else's page can know it. */
export function formToken(key: Buffer, person: string): string {
  return createHmac("sha256", key).update(person).digest("base64url");
}

/** Compares in a time that does not depend on where they differ, nor on their lengths. */
export function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
