/** The API: the records as JSON by the document that describes it, and what may be changed of them. */
import { Readable } from "node:stream";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { createAudit } from "../../src/audit/audit.ts";
import { Build } from "../../src/builds/build.ts";
import { ProjectName } from "../../src/names.ts";
import type { StepTest } from "../../src/results/kept-tests.ts";
import type { WebDeps } from "../../src/web/deps.ts";
import { createWeb } from "../../src/web/web.tsx";
import { ago, CONFIG, clock, configOf, NOW, openRecords, RESOURCES } from "../support/records.ts";
import { serveWeb } from "../support/served-web.ts";
import { WORKER } from "../support/talk.ts";
import { type Answer, type Asking, ask, basic, bearer } from "../support/web-client.ts";
import { webDeps } from "../support/web-deps.ts";

const TOKEN = "a-token-of-some-length";
const WEB = `
web: { user: ada, password: secret, tokens: { deploy: ${TOKEN} }, trusted_proxy: { addresses: 10.0.0.1, header: X-User } }
`;
const AUTH = bearer(TOKEN);
const ENDED = { startedAt: ago(72), finishedAt: ago(0) };
const FAILED_STEPS = Build.shape.steps.parse([
  { name: "tests", kind: "run", state: "failed", durationMs: 1, meaning: "exit 1", resources: RESOURCES },
]);

async function openApi(changes: Partial<WebDeps> = {}, written = CONFIG) {
  const records = await openRecords(configOf(`${written}${WEB}`));
  const deps = webDeps(records, changes);
  const app = createWeb(deps);
  const call = async (path: string, asking?: Asking) => {
    const answer = await ask(app, path, asking);
    return { ...answer, body: answer.text === "" ? undefined : z.unknown().parse(JSON.parse(answer.text)) };
  };
  return {
    ...records,
    call,
    raw: (path: string, asking?: Asking): Promise<Answer> => ask(app, path, asking),
    /** Status and code. */
    async refused(path: string, asking?: Asking) {
      const { status, body } = await call(path, asking);
      return [
        status,
        z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) }).parse(body).error.code,
      ];
    },
    async post(path: string, json: unknown, headers: Record<string, string> = {}) {
      return call(path, { json, headers: { ...AUTH, ...headers } });
    },
    async audited() {
      const entries = await createAudit(records.redis.commands, clock).latest(100);
      return entries
        .toReversed()
        .map(({ who, account, room, action, detail, outcome }) =>
          [who, account, room, action, detail, outcome].join(" | "),
        );
    },
  };
}

const Numbers = z.object({ builds: z.array(z.object({ number: z.number() })), next: z.number().nullable() });
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.unknown()) }))),
});

/** What holds a build besides the slots, each in a project of its own. */
const HELD = `
url: https://ci.example.org
projects:
  docker: { repo: /repositories/docker, max: 1 }
  docker-registry: { repo: /repositories/docker-registry, group: slow }
  hello: { repo: /repositories/hello, group: slow }
  other: { repo: /repositories/other }
`;

describe("the document", () => {
  test("is OpenAPI 3.1", async () => {
    await using api = await openApi();
    const { body } = await api.call("/api/openapi.json");
    const result = await new Validator().validate(z.record(z.string(), z.unknown()).parse(body));
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(Object.keys(Document.parse(body).paths).toSorted()).toEqual([
      "/api/builds",
      "/api/builds/{number}",
      "/api/builds/{number}/cancel",
      "/api/builds/{number}/log",
      "/api/builds/{number}/rebuild",
      "/api/builds/{number}/tests",
      "/api/outbox",
      "/api/projects",
      "/api/queue",
      "/api/releases",
      "/api/releases/{number}",
      "/api/workers",
    ]);
  });

  test("says of every answer what it is like", async () => {
    const tests: StepTest[] = [{ step: "tests", suite: "a", name: "b", state: "failed", durationMs: 1, message: "no" }];
    await using api = await openApi({
      results: {
        async *tests() {
          yield tests;
        },
        coverage: async () => undefined,
      },
      outbox: async () => ({
        rooms: [
          { network: "libera", room: "#dev", waiting: 1, oldestAt: ago(9), stuck: true, reason: "away", tries: 2 },
        ],
        dropped: [],
      }),
      workers: async () => [
        {
          name: "big-1",
          engine: "x",
          slots: 2,
          active: [2],
          seenAt: ago(1),
          version: "1.0.0",
          labels: [],
          draining: false,
        },
      ],
    });
    const failed = { kind: "failed", ...ENDED, reason: "step tests, exit 1" } as const;
    await api.end(await api.begin(await api.create("hello")), failed, { steps: FAILED_STEPS });
    await api.begin(await api.create("hello"));
    await api.create("hello");
    await api.builds.pauses.pause(ProjectName.parse("hello"), "ada");
    const document = (await api.call("/api/openapi.json")).body;
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    ajv.addSchema(z.record(z.string(), z.unknown()).parse(document), "doc");
    const fits = (path: string, method: string, status: number, body: unknown) => {
      const pointer = `${path.replaceAll("/", "~1")}/${method}/responses/${status}/content/application~1json/schema`;
      const validate = ajv.compile({ $ref: `doc#/paths/${pointer.replaceAll("{", "%7B").replaceAll("}", "%7D")}` });
      return validate(body) ? [] : validate.errors;
    };
    for (const path of ["builds", "projects", "queue", "workers", "outbox", "releases"]) {
      const { status, body } = await api.call(`/api/${path}`);
      expect([path, status, fits(`/api/${path}`, "get", 200, body)]).toEqual([path, 200, []]);
    }
    for (const number of [1, 2, 3]) {
      const { body } = await api.call(`/api/builds/${number}`);
      expect(fits("/api/builds/{number}", "get", 200, body)).toEqual([]);
    }
    expect(fits("/api/builds/{number}/tests", "get", 200, (await api.call("/api/builds/1/tests")).body)).toEqual([]);
    expect(fits("/api/builds/{number}", "get", 404, (await api.call("/api/builds/9")).body)).toEqual([]);
    expect(fits("/api/builds", "post", 201, (await api.post("/api/builds", { project: "hello" })).body)).toEqual([]);
    const stopping = await api.post("/api/builds/2/cancel", { reason: "enough" });
    expect([stopping.status, fits("/api/builds/{number}/cancel", "post", 200, stopping.body)]).toEqual([200, []]);
    // The test itself: an answer that is another one does not fit.
    expect(fits("/api/builds/{number}", "get", 200, { number: "1" })).not.toEqual([]);
  });
});

describe("/api/builds", () => {
  test("gives builds page by page, the newest first, with what was asked for", async () => {
    await using api = await openApi();
    for (let count = 0; count < 3; count += 1) {
      await api.end(await api.begin(await api.create("hello")), { kind: "passed", ...ENDED });
      await api.end(await api.begin(await api.create("docker")), { kind: "failed", ...ENDED, reason: "exit 1" });
      await api.create("docker");
    }
    const numbers = async (query: string) => {
      const { builds, next } = Numbers.parse((await api.call(`/api/builds${query}`)).body);
      return [builds.map(({ number }) => number), next];
    };
    expect(await numbers("")).toEqual([[9, 8, 7, 6, 5, 4, 3, 2, 1], null]);
    expect(await numbers("?limit=4")).toEqual([[9, 8, 7, 6], 6]);
    expect(await numbers("?limit=4&before=6")).toEqual([[5, 4, 3, 2], 2]);
    expect(await numbers("?limit=4&before=2")).toEqual([[1], null]);
    expect(await numbers("?project=hello&limit=2")).toEqual([[7, 4], 4]);
    expect(await numbers("?branch=main&limit=1")).toEqual([[9], 9]);
    expect(await numbers("?branch=release")).toEqual([[], null]);
    expect(await numbers("?state=passed&limit=2")).toEqual([[7, 4], 4]);
    expect(await numbers("?state=passed&limit=2&before=4")).toEqual([[1], null]);
    expect(await numbers("?state=failed&project=hello")).toEqual([[], null]);
    expect(await numbers("?state=queued&limit=2")).toEqual([[9, 6], 6]);
    expect(await numbers("?state=queued&before=6")).toEqual([[3], null]);
    expect((await api.raw("/api/builds?state=failed&limit=1")).headers.get("link")).toBe(
      '<https://ci.example.org/api/builds?state=failed&limit=1&before=8>; rel="next"',
    );
  });

  test.each([
    ["limit=0", "limit: a whole number from 1 to 200"],
    ["limit=201", "limit: a whole number from 1 to 200"],
    ["limit=many", "limit: a whole number from 1 to 200"],
    ["before=x", "before: a build's number, such as 43"],
    ["project=No%20Name", "project: lower-case letters, digits, '.', '_' and '-', at most 64"],
  ])("refuses ?%s and says why", async (query, message) => {
    await using api = await openApi();
    const { status, body } = await api.call(`/api/builds?${query}`);
    expect([status, body]).toEqual([400, { error: { code: "bad_request", message } }]);
  });

  test("is not sent again to who has it", async () => {
    await using api = await openApi();
    await api.create("hello");
    const first = await api.raw("/api/builds");
    const etag = first.headers.get("etag") ?? "";
    const again = await api.raw("/api/builds", { headers: { "if-none-match": etag } });
    expect([etag === "", again.status, again.text]).toEqual([false, 304, ""]);
    await api.create("hello");
    expect((await api.raw("/api/builds", { headers: { "if-none-match": etag } })).status).toBe(200);
  });
});

describe("/api/queue", () => {
  test("says of each that waits what holds it", async () => {
    await using api = await openApi({ workers: async () => [{ ...WORKER, slots: 9 }] }, HELD);
    await api.begin(await api.create("docker"));
    await api.create("docker");
    await api.begin(await api.create("docker-registry"));
    await api.create("hello");
    await api.create("other");
    await api.builds.pauses.pause(ProjectName.parse("other"), "ada");
    const queued = async () => z.looseObject({ queued: z.unknown() }).parse((await api.call("/api/queue")).body).queued;
    const paused = { kind: "paused", by: "ada", since: NOW.toISOString() };
    expect(await queued()).toMatchObject([
      { number: 2, before: 0, waitsFor: { kind: "project", number: 1, max: 1 } },
      { number: 4, before: 1, waitsFor: { kind: "group", number: 3, group: "slow" } },
      { number: 5, before: 2, waitsFor: { ...paused, project: "other" } },
    ]);
    await api.builds.pauses.pause(undefined, "ada");
    expect(await queued()).toMatchObject([{ waitsFor: paused }, { waitsFor: paused }, { waitsFor: paused }]);
  });
});

describe("a build", () => {
  test("of a pull request that cannot be merged has the files in conflict", async () => {
    await using api = await openApi();
    const conflicts = ["a.go", "b.go"];
    await api.end(await api.begin(await api.create("hello")), {
      kind: "failed",
      ...ENDED,
      reason: "conflicts",
      conflicts,
    });
    expect((await api.call("/api/builds/1")).body).toMatchObject({ state: "failed", conflicts });
  });

  test("is all that is kept of it, but for what may be secret (O-26)", async () => {
    await using api = await openApi();
    await api.end(await api.begin(await api.create("hello", { params: { KEY: "hunter2" } })), {
      kind: "failed",
      ...ENDED,
      reason: "step tests, exit 1",
    });
    const { body, text } = await api.call("/api/builds/1");
    expect(body).toMatchObject({
      number: 1,
      project: "hello",
      url: "https://ci.example.org/builds/1",
      state: "failed",
      reason: "step tests, exit 1",
      durationMs: 72_000,
      event: "chat",
      requestedBy: { name: "ada", network: "fake" },
      revision: { sha: "0".repeat(40), ref: "main" },
      variables: ["KEY"],
    });
    expect(text).not.toContain("hunter2");
  });

  test("has of a step that failed what it and its worker used (O-162)", async () => {
    await using api = await openApi();
    const running = await api.begin(await api.create("hello"));
    await api.end(running, { kind: "failed", ...ENDED, reason: "step tests, exit 1" }, { steps: FAILED_STEPS });
    const { body } = await api.call("/api/builds/1");
    expect(body).toMatchObject({ steps: [{ name: "tests", resources: RESOURCES }] });
  });

  test("has its log as text, whole or its end", async () => {
    await using api = await openApi({
      openLog: async () => Readable.from([Buffer.from("one\ntwo\nthree\n")]),
      logLines: async (_number, count) =>
        ["one", "two", "three"].slice(-count).map((text, index) => ({ number: index + 1, text })),
    });
    await api.create("hello");
    const whole = await api.raw("/api/builds/1/log");
    expect([whole.status, whole.headers.get("content-type"), whole.text]).toEqual([
      200,
      "text/plain; charset=utf-8",
      "one\ntwo\nthree\n",
    ]);
    expect((await api.raw("/api/builds/1/log?tail=2")).text).toBe("two\nthree\n");
    expect(await api.refused("/api/builds/1/log?tail=0")).toEqual([400, "bad_request"]);
  });

  test("has its tests page by page", async () => {
    const named = (name: string, state: StepTest["state"]): StepTest => ({
      step: "tests",
      suite: "s",
      name,
      state,
      durationMs: 1,
    });
    await using api = await openApi({
      results: {
        async *tests() {
          yield [named("a", "passed"), named("b", "failed")];
          yield [named("c", "passed")];
        },
        coverage: async () => undefined,
      },
    });
    await api.create("hello");
    const names = async (query: string) => {
      const Page = z.object({ tests: z.array(z.object({ name: z.string() })), next: z.number().nullable() });
      const { tests, next } = Page.parse((await api.call(`/api/builds/1/tests${query}`)).body);
      return [tests.map(({ name }) => name).join(""), next];
    };
    expect(await names("")).toEqual(["abc", null]);
    expect(await names("?limit=2")).toEqual(["ab", 2]);
    expect(await names("?limit=2&after=2")).toEqual(["c", null]);
    expect(await names("?state=passed&limit=1")).toEqual(["a", 1]);
    expect(await names("?state=passed&limit=1&after=1")).toEqual(["c", null]);
  });
});

describe("what cannot be answered has one shape", () => {
  const json = { "content-type": "application/json", ...AUTH };
  test.each<[string, Asking | undefined, unknown]>([
    ["/api/nowhere", undefined, [404, "not_found"]],
    ["/api/builds/7", undefined, [404, "not_found"]],
    ["/api/builds/7/log", undefined, [404, "not_found"]],
    ["/api/builds/1/log", undefined, [404, "not_found"]],
    ["/api/builds/x", undefined, [400, "bad_request"]],
    ["/api/queue", { method: "DELETE", headers: AUTH }, [405, "method_not_allowed"]],
    ["/api/builds/1", { method: "PUT", headers: AUTH }, [405, "method_not_allowed"]],
    ["/api/builds", { json: { project: "hello" } }, [401, "unauthorized"]],
    ["/api/builds", { json: { project: "hello" }, headers: bearer("wrong") }, [401, "unauthorized"]],
    ["/api/builds", { json: { project: "hello" }, headers: { "x-user": "eve" }, from: "10.0.0.1" }, [403, "forbidden"]],
    ["/api/builds", { method: "POST", body: "{", headers: json }, [400, "bad_request"]],
    ["/api/builds", { method: "POST", body: "", headers: json }, [400, "bad_request"]],
    ["/api/builds", { method: "POST", headers: AUTH }, [400, "bad_request"]],
    ["/api/builds", { json: [], headers: AUTH }, [400, "bad_request"]],
    ["/api/builds", { json: { project: "hello", reff: "main" }, headers: AUTH }, [400, "bad_request"]],
    ["/api/builds", { json: { project: "hello", ref: "--upload-pack=x" }, headers: AUTH }, [400, "bad_request"]],
    ["/api/builds", { json: { project: "hello", variables: { "A B": "c" } }, headers: AUTH }, [400, "bad_request"]],
    ["/api/builds", { json: { project: "x".repeat(300_000) }, headers: AUTH }, [413, "too_large"]],
    ["/api/builds", { form: { project: "hello" }, headers: AUTH }, [415, "unsupported_media_type"]],
    ["/api/builds", { json: { project: "nowhere" }, headers: AUTH }, [422, "refused"]],
    ["/api/builds", { json: { project: "hello", ref: "nosuch" }, headers: AUTH }, [422, "refused"]],
    ["/api/builds/7/cancel", { method: "POST", headers: AUTH }, [404, "not_found"]],
    ["/api/builds/7/rebuild", { json: {}, headers: AUTH }, [404, "not_found"]],
    ["/api/builds/1/rebuild", { json: { only: "failed" }, headers: AUTH }, [422, "refused"]],
  ])("%s with %o", async (path, asking, expected) => {
    await using api = await openApi();
    await api.create("hello");
    expect(await api.refused(path, asking)).toEqual(expected);
    expect(await api.store.latest(10)).toHaveLength(1);
  });

  test.each<[unknown, string]>([
    [{ project: "hello", reff: "main", extra: 1 }, "reff: there is no such key; extra: there is no such key"],
    [{}, "project: missing"],
    [{ project: 7 }, "project: found number, allowed: string"],
  ])("%j is answered in words for people", async (json, said) => {
    await using api = await openApi();
    const { body } = await api.post("/api/builds", json);
    expect(body).toEqual({ error: { code: "bad_request", message: said } });
  });

  test("after a body that is too long the connection is given up, not used for what comes next", async () => {
    await using records = await openRecords(configOf(`${CONFIG}${WEB}`));
    await using web = await serveWeb(records);
    const send = (body: string) =>
      fetch(`${web.url}/api/builds`, { method: "POST", headers: json, body, signal: AbortSignal.timeout(10_000) });
    const tooLong = await send(JSON.stringify({ project: "x".repeat(2_000_000) }));
    expect([tooLong.status, tooLong.headers.get("connection")]).toEqual([413, "close"]);
    await tooLong.text();
    expect((await send("{}")).status).toBe(400);
  });

  test("also when Redis is away", async () => {
    await using api = await openApi();
    const pid = await api.pid();
    process.kill(pid, "SIGSTOP");
    const refused = await api.refused("/api/builds");
    process.kill(pid, "SIGCONT");
    expect(refused).toEqual([503, "unavailable"]);
  });
});

describe("POST /api/builds", () => {
  test("queues a build, and the audit log says who asked from where", async () => {
    await using api = await openApi();
    const { status, headers, body } = await api.post("/api/builds", {
      project: "hello",
      ref: "release",
      variables: { KEY: "hunter2" },
    });
    expect([status, headers.get("location")]).toEqual([201, "/api/builds/1"]);
    expect(body).toMatchObject({ number: 1, state: "queued", ref: "release", event: "api", variables: ["KEY"] });
    const [build] = await api.store.latest(1);
    expect(build).toMatchObject({ params: { KEY: "hunter2" }, requester: { name: "deploy", network: "web" } });
    expect(await api.audited()).toEqual([
      "deploy | web/deploy | web/203.0.113.9 | build | hello release KEY=… | accepted",
    ]);
  });

  test("takes a pull request by its number", async () => {
    await using api = await openApi();
    expect(await api.post("/api/builds", { project: "hello", ref: "PR#12" })).toMatchObject({
      status: 201,
      body: { ref: "PR#12", revision: { kind: "pull_request", pullRequest: { number: 12 } } },
    });
    expect(await api.post("/api/builds", { project: "hello", ref: "PR#13" })).toMatchObject({
      status: 422,
      body: { error: { message: "hello has no pull request 13." } },
    });
  });

  test("takes a proxy's word only with the role, and both are in the audit log", async () => {
    await using api = await openApi();
    await api.call("/api/builds", { json: { project: "hello" }, headers: { "x-user": "eve" }, from: "10.0.0.1" });
    await api.call("/api/builds", { json: { project: "nowhere" }, headers: basic("ada", "secret") });
    expect(await api.audited()).toEqual([
      "eve | web/eve | web/10.0.0.1 | build | hello: takes the role developer | refused",
      "ada | web/ada | web/203.0.113.9 | build | nowhere | accepted",
      'ada | web/ada | web/203.0.113.9 | build | nowhere: no project "nowhere". There are docker, docker-registry, hello. | refused',
    ]);
  });

  test("does once what comes twice under one key, and gives the same answer", async () => {
    await using api = await openApi();
    const key = { "idempotency-key": "deploy-2026-03-01" };
    const first = await api.post("/api/builds", { project: "hello" }, key);
    await api.begin((await api.store.latest(1))[0] ?? expect.fail("no build"));
    const second = await api.post("/api/builds", { project: "hello" }, key);
    expect([second.status, second.body, second.headers.get("idempotency-replayed")]).toEqual([201, first.body, "true"]);
    expect(first.headers.get("idempotency-replayed")).toBe(null);
    // Another's key of that name is another key; a request of another kind under it is a mistake.
    const other = await api.call("/api/builds", {
      json: { project: "hello" },
      headers: { ...basic("ada", "secret"), ...key },
    });
    expect(other.body).toMatchObject({ number: 2 });
    const misused = await api.post("/api/builds", { project: "docker" }, key);
    expect([misused.status, misused.body]).toEqual([
      422,
      {
        error: {
          code: "refused",
          message: "That Idempotency-Key was sent with another request before; take a new one.",
        },
      },
    ]);
    expect(await api.store.latest(10)).toHaveLength(2);
  });

  test("twice at the same moment is one build", async () => {
    await using api = await openApi();
    const key = { "idempotency-key": "x" };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.post("/api/builds", { project: "hello" }, key)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toContain(201);
    expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
    expect(await api.store.latest(10)).toHaveLength(1);
  });

  test("a request that came to nothing may come again under its key", async () => {
    await using api = await openApi();
    const key = { "idempotency-key": "x" };
    expect((await api.post("/api/builds", { project: "hello", ref: "nosuch" }, key)).status).toBe(422);
    expect((await api.post("/api/builds", { project: "hello" }, key)).status).toBe(201);
  });

  test.each<[string, Record<string, string>, number]>([
    ["another site's page", { "sec-fetch-site": "cross-site", origin: "https://evil.example.org" }, 403],
    ["another site's page in an old browser", { origin: "https://evil.example.org" }, 403],
    ["a coverage report in its sandbox", { "sec-fetch-site": "cross-site", origin: "null" }, 403],
    ["a site beside this one", { "sec-fetch-site": "same-site", origin: "https://other.example.org" }, 403],
    ["a script of this site", { "sec-fetch-site": "same-origin", origin: "https://ci.example.org" }, 201],
  ])("by %s, in whose browser somebody is logged in", async (_who, headers, status) => {
    await using api = await openApi();
    const asked = await api.call("/api/builds", {
      json: { project: "hello" },
      headers: { ...basic("ada", "secret"), ...headers },
    });
    expect(asked.status).toBe(status);
    expect(await api.store.latest(10)).toHaveLength(status === 201 ? 1 : 0);
  });
});

describe("POST /api/builds/:n/cancel and rebuild", () => {
  test("takes a build out of the line, and no second time", async () => {
    await using api = await openApi();
    await api.create("hello");
    const { status, body } = await api.post("/api/builds/1/cancel", { reason: "superseded" });
    expect([status, body]).toMatchObject([
      200,
      { outcome: "cancelled", build: { state: "cancelled", cancelledBy: "deploy", reason: "superseded" } },
    ]);
    expect(await api.refused("/api/builds/1/cancel", { method: "POST", headers: AUTH })).toEqual([409, "conflict"]);
    const again = await api.post("/api/builds/1/rebuild", {});
    expect(again.body).toMatchObject({ number: 2, rebuildOf: 1, state: "queued" });
    expect(await api.audited()).toEqual([
      "deploy | web/deploy | web/203.0.113.9 | cancel | 1 superseded | accepted",
      "deploy | web/deploy | web/203.0.113.9 | rebuild | 1 | accepted",
    ]);
  });
});
