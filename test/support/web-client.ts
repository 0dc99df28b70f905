/** Somebody who asks the page: a browser that is logged in, a program with a token, a proxy that passes requests on. */
import type { Hono } from "hono";

export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent as a form. */
  readonly form?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: string;
  /** Of the other end of the connection. */
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export async function ask(app: Hono, path: string, asking: Asking = {}): Promise<Answer> {
  const { form, json, from = "203.0.113.9" } = asking;
  const type = form !== undefined ? "application/x-www-form-urlencoded" : "application/json";
  const body =
    form !== undefined ? new URLSearchParams(form).toString() : json !== undefined ? JSON.stringify(json) : asking.body;
  const response = await app.request(
    path,
    {
      method: asking.method ?? (body === undefined ? "GET" : "POST"),
      headers: { ...(body === undefined ? {} : { "content-type": type }), ...asking.headers },
      ...(body === undefined ? {} : { body }),
    },
    { incoming: { socket: { remoteAddress: from, remotePort: 4711, remoteFamily: "IPv4" } } },
  );
  return { status: response.status, text: await response.text(), headers: response.headers };
}

export function basic(user: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

/** What a reader sees: the text without the markup. */
export function readable(html: string): string {
  return html
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replace(/\s+/g, " ")
    .trim();
}
