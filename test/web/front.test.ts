/** The page's address before and after there is a page: who waits, for how long, and who is answered at once. */
import { Agent, get, type IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { type Front, openFront } from "../../src/web/front.ts";
import { servePages } from "../../src/web/serve.ts";
import { freePort } from "../support/loopback.ts";
import { waitFor } from "../support/wait-for.ts";

const page = async (request: Request) => new Response(`${request.method} ${await request.text()}`);

async function front(limits: { holdMs?: number; heldMax?: number } = {}) {
  const port = await freePort();
  const asked: string[] = [];
  const scene = {
    version: "1",
    state: () => ({ status: "standby", reason: "not yet" }),
    onHeld: () => void asked.push("held"),
  };
  const opened: Front = await openFront({ ...scene, ...limits }, { host: "127.0.0.1", port });
  return { opened, url: `http://127.0.0.1:${port}`, asked };
}

test("what is asked before there is a page is answered by it, with what was sent along", async () => {
  const { opened, url, asked } = await front();
  await using _closing = opened;
  const early = fetch(`${url}/forms`, { method: "POST", body: "name=ada" });
  await waitFor("a request that waits", () => opened.held === 1);
  opened.answerWith(page);
  expect(await (await early).text()).toBe("POST name=ada");
  expect(await (await fetch(`${url}/healthz`)).text()).toBe("GET ");
  expect(asked).toEqual(["held"]);
});

test("one too many is told to come again, and so is who has waited for too long", async () => {
  const { opened, url } = await front({ holdMs: 300, heldMax: 1 });
  await using _closing = opened;
  const first = fetch(url);
  await waitFor("a request that waits", () => opened.held === 1);
  const [second, waited] = await Promise.all([fetch(url), first]);
  expect([second.status, await second.text()]).toEqual([
    503,
    "too many requests wait already; try again in a moment.\n",
  ]);
  expect([waited.status, await waited.text()]).toEqual([503, "not yet; try again in a moment.\n"]);
  expect([second, waited].map(({ headers }) => headers.get("retry-after"))).toEqual(["5", "5"]);
  expect(opened.held).toBe(0);
});

test.each([
  ["/healthz", 200, '{"status":"standby","version":"1"}'],
  ["/CloudHealthCheck", 200, '{"status":"standby","version":"1"}'],
  ["/readyz", 503, '{"ready":false,"reason":"not yet"}'],
  ["/metrics", 503, "not yet\n"],
])("%s is answered with %d while there is no page, and wakes nobody", async (path, status, text) => {
  const { opened, url, asked } = await front();
  await using _closing = opened;
  const answer = await fetch(url + path);
  expect([answer.status, await answer.text(), asked]).toEqual([status, text, []]);
});

test("a page that is closed answers to the end what it has begun, and ends connections that are kept open", async () => {
  const port = await freePort();
  const begun: ((text: string) => void)[] = [];
  const fetchPage = ({ url }: Request) =>
    url.endsWith("/slow")
      ? new Promise<Response>((done) => begun.push((text) => done(new Response(text))))
      : page(new Request(url));
  const served = await servePages(fetchPage, { host: "127.0.0.1", port });
  const agent = new Agent({ keepAlive: true });
  const ask = (path: string) =>
    new Promise<IncomingMessage>((answer, refuse) =>
      get({ host: "127.0.0.1", port, path, agent }, answer).once("error", refuse),
    );
  expect((await ask("/")).resume().headers.connection).toBe("keep-alive");
  const slow = ask("/slow");
  await waitFor("the slow one", () => begun.length === 1);
  const closed = served[Symbol.asyncDispose]();
  begun[0]?.("done");
  const answer = await slow;
  expect([answer.headers.connection, String((await answer.toArray()).join(""))]).toEqual(["close", "done"]);
  await closed;
  agent.destroy();
});
