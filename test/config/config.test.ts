/** `docker-ci.yml`: what it may say, and what is said about its mistakes. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Config, loadConfig, parseConfig, Secret, withExampleProjects } from "../../src/config.ts";
import { ConfigError } from "../../src/errors.ts";
import { ProjectName } from "../../src/names.ts";
import { FULL_CONFIG, FULL_ENVIRONMENT } from "./full-config.ts";

describe("no file at all", () => {
  test("is a terminal, a page for this machine, a Redis of our own and no projects", () => {
    expect(parse("")).toMatchObject({
      url: "http://localhost:8000",
      listen: { host: "127.0.0.1", port: 8000 },
      dataDir: "/srv/ci/data",
      redis: { kind: "embedded" },
      engine: undefined,
      concurrency: 2,
      prefix: "!",
      timezone: "Etc/UTC",
      web: { private: false },
      irc: [],
      slack: [],
      console: true,
      people: [],
      defaultRoles: [],
      gitea: [],
      gitlab: [],
      hooks: undefined,
    });
  });

  test("gets the examples; docker's tests mount file systems and need privileges (O-20)", () => {
    const repos = new Map(["hello", "docker-registry", "docker"].map((name) => [name, `/data/examples/${name}`]));
    const config = withExampleProjects(parse(""), repos);
    expect([...config.projects.values()].map(({ name, privileged }) => [name, privileged])).toEqual([
      ["hello", false],
      ["docker-registry", false],
      ["docker", true],
    ]);
    expect(project(config, "hello")).toMatchObject({
      repo: "/data/examples/hello",
      branch: "main",
      pullRequests: "ask",
      network: "internet",
      builder: "auto",
      limits: {
        memoryBytes: 4 * 1024 ** 3,
        cpus: 2,
        pids: 4096,
        timeMs: 30 * 60_000,
        // As the original's Buildbot had it (O-27).
        idleMs: 20 * 60_000,
        diskBytes: 10 * 1024 ** 3,
        logBytes: 1024 ** 3,
      },
    });
  });
});

test.each([
  ["5m", 300_000],
  ["off", undefined],
  ["false", undefined],
])("limits: { idle: %s } is %s (O-27)", (written, idleMs) => {
  const config = parse(`projects: { mine: { repo: ., limits: { idle: ${written} } } }`);
  expect(project(config, "mine").limits.idleMs).toBe(idleMs);
});

test("a file with projects has only those", () => {
  const config = parse("projects: { mine: { repo: . } }");
  expect(withExampleProjects(config, new Map([["hello", "/x"]]))).toBe(config);
});

test("every key of the documentation is accepted", () => {
  const config = parse(FULL_CONFIG, FULL_ENVIRONMENT);
  expect(config).toMatchObject({
    url: "https://ci.example.org",
    listen: { host: "0.0.0.0", port: 8000 },
    engine: "unix:///var/run/docker.sock",
    irc: [
      {
        name: "libera",
        port: 6697,
        tls: { rejectUnauthorized: true },
        account: "docker-ci",
        channels: [{ name: "#docker-testing" }, { name: "#docker-dev" }],
        pace: { burst: 5, perSecond: 0.5 },
      },
    ],
    slack: [{ name: "work", apiUrl: "https://slack.com/api/", channels: ["C0123456789"] }],
    people: [
      {
        name: "ada",
        irc: [{ network: "libera", account: "ada" }],
        slack: [{ network: "work", account: "U0ADA" }],
        email: "ada@example.org",
        roles: ["developer", "approver"],
      },
    ],
    notify: {
      rooms: [{ network: "libera", room: "#docker-dev" }, { network: "work" }],
      on: ["broken", "fixed", "errored"],
    },
    retention: { builds: 10_000, logsMs: 90 * 86_400_000 },
    backup: { at: "0 7 * * *", keep: { daily: 14 }, targets: [{ bucket: "backup-ci" }] },
  });
  expect(project(config, "docker-registry")).toMatchObject({
    forge: { kind: "github", owner: "distribution", name: "distribution" },
    pollMs: 60_000,
    nightly: { at: "0 7 * * *", timezone: undefined },
    env: { CGO_ENABLED: "0" },
  });
});

test("each variable of the original is for one thing (O-11, O-12, O-14, O-15, O-16, O-17)", () => {
  const text = FULL_CONFIG.replace("    password: $WEB_IRC_PWD", "    password: $IRC_PWD");
  const names = Object.keys(FULL_ENVIRONMENT).filter((name) => FULL_ENVIRONMENT[name] === "hunter2");
  const env = { ...FULL_ENVIRONMENT, ...Object.fromEntries([...names, "IRC_PWD"].map((name) => [name, `of ${name}`])) };
  const { web, irc, redis, mail, releases, backup, projects } = parse(text, { ...env, BUILDBOT_PWD: "of-workers" });
  const [release] = releases.values();
  const [target] = backup?.targets ?? [];
  const [registry] = projects.values();
  expect([web.user, web.password?.reveal(), irc[0]?.password?.reveal()]).toEqual([
    "ada",
    "of WEB_IRC_PWD",
    "of IRC_PWD",
  ]);
  expect(redis.kind === "url" && redis.url.reveal()).toContain("buildworker:of-workers@");
  expect([mail?.user, mail?.password?.reveal(), mail?.to]).toEqual(["ada", "of SMTP_PWD", ["team@example.org"]]);
  expect([release?.target.bucket, target?.bucket]).toEqual(["test.example.org", "backup-ci"]);
  expect(
    [release?.target.accessKey, release?.target.secretKey, release?.passphrase].map((secret) => secret?.reveal()),
  ).toEqual(["of AWS_ACCESS_KEY", "of AWS_SECRET_KEY", "of GPG_PASSPHRASE"]);
  expect([target?.accessKey, target?.secretKey].map((secret) => secret?.reveal())).toEqual([
    "of BACKUP_AWS_ID",
    "of BACKUP_AWS_SECRET",
  ]);
  expect(registry?.secrets.NPM_TOKEN?.reveal()).toBe("of NPM_TOKEN");
});

describe("values from the environment", () => {
  test.each([
    ["$NAME", "/srv/ci/value"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how it is written
    ["${NAME}", "/srv/ci/value"],
    ["a-$NAME-b", "/srv/ci/a-value-b"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how it is written
    ["a${NAME}b", "/srv/ci/avalueb"],
    ["$$NAME", "/srv/ci/$NAME"],
    ["a$", "/srv/ci/a$"],
    ["5$1", "/srv/ci/5$1"],
  ])("%s", (written, dataDir) => {
    expect(parse(`data: ${written}`, { NAME: "value" }).dataDir).toBe(dataDir);
  });

  test("are not read a second time for dollars", () => {
    expect(parse("data: $NAME", { NAME: "$OTHER" }).dataDir).toBe("/srv/ci/$OTHER");
  });

  test("numbers and switches may come from there too", () => {
    const config = parse("concurrency: $N\nconsole: $SWITCH\nlisten: $PORT", { N: "7", SWITCH: "false", PORT: "9000" });
    expect(config).toMatchObject({ concurrency: 7, console: false, listen: { host: "0.0.0.0", port: 9000 } });
  });

  test("that are not set are told with key, line and name, all of them", () => {
    expect(
      problemsOf("url: $URL\nslack:\n  - name: work\n    bot_token: $SLACK_BOT_TOKEN\n    app_token: x-$APP"),
    ).toEqual([
      "docker-ci.yml:1: url: $URL is not set",
      "docker-ci.yml:4: slack[0].bot_token: $SLACK_BOT_TOKEN is not set",
      "docker-ci.yml:5: slack[0].app_token: $APP is not set",
    ]);
  });

  test("leave a pipeline's shell variables alone", () => {
    const config = parse(
      'projects: { a: { repo: ., pipeline: { steps: [{ name: t, image: x, run: "echo $HOME" }] } } }',
    );
    expect(project(config, "a").pipeline?.steps[0]).toMatchObject({ script: "echo $HOME" });
  });

  test("PORT, REDIS_URL and DOCKER_HOST stand in for keys that are not written (O-03)", () => {
    const env = { PORT: "9000", REDIS_URL: "redis://:pw@10.0.0.5/0", DOCKER_HOST: "tcp://10.0.0.6:2376" };
    expect(parse("", env)).toMatchObject({
      url: "http://localhost:9000",
      listen: { host: "127.0.0.1", port: 9000 },
      redis: { kind: "url" },
      engine: "tcp://10.0.0.6:2376",
    });
    expect(parse('listen: "[::1]:7000"\nengine: unix:///x.sock', { ...env, PORT: "nonsense" })).toMatchObject({
      listen: { host: "::1", port: 7000 },
      engine: "unix:///x.sock",
    });
    expect(problemsOf("", { PORT: "nonsense" })).toEqual([
      'docker-ci.yml: listen: found "nonsense", allowed: a port such as 8000 (from the variable PORT)',
    ]);
  });
});

test("DEPLOYMENT is production, staging or local, and nothing else (O-10)", () => {
  expect(["", "staging", "production"].map((DEPLOYMENT) => parse("", { DEPLOYMENT }).deployment)).toEqual([
    "local",
    "staging",
    "production",
  ]);
  expect(problemsOf("", { DEPLOYMENT: "prod" })).toEqual([
    'docker-ci.yml: deployment: found "prod", allowed: production, staging or local (from the variable DEPLOYMENT)',
  ]);
});

describe("IRC", () => {
  test.each([
    ["docker-dev", "#docker-dev", undefined],
    ['"#docker-dev"', "#docker-dev", undefined],
    ['"#docker-dev s3cret"', "#docker-dev", "s3cret"],
    ["docker-dev s3cret", "#docker-dev", "s3cret"],
    ['"&local"', "&local", undefined],
    ['"##c"', "##c", undefined],
  ])("the channel %s", (written, name, key) => {
    expect(parse(`irc: [{ name: a, host: b, channels: [${written}] }]`).irc[0]?.channels).toEqual([{ name, key }]);
  });

  test.each([
    ["", 6697, true],
    ["tls: true", 6697, true],
    ["tls: false", 6667, false],
    ["port: 6667", 6667, false],
    ["port: 6667, tls: true", 6667, true],
    ["port: 7000", 7000, true],
  ])("%j means port %d, TLS %s", (written, port, tls) => {
    const [network] = parse(`irc: [{ name: a, host: b${written === "" ? "" : `, ${written}`} }]`).irc;
    expect([network?.port, network?.tls !== false]).toEqual([port, tls]);
  });

  test("a private authority's certificate is found beside the file", () => {
    const [network] = parse("irc: [{ name: a, host: b, tls: { ca: ca.pem, reject_unauthorized: false } }]").irc;
    expect(network?.tls).toEqual({ rejectUnauthorized: false, ca: "/srv/ci/ca.pem" });
  });
});

describe("a project's repository", () => {
  test.each([
    [".", "/srv/ci"],
    ["../hello", "/srv/hello"],
    ["hello.git", "/srv/ci/hello.git"],
    ["/git/hello", "/git/hello"],
    ["~/hello", "/home/ada/hello"],
    ["https://github.com/a/b", "https://github.com/a/b"],
    ["git://example.org/a", "git://example.org/a"],
    ["ssh://git@example.org:2222/a", "ssh://git@example.org:2222/a"],
    ["git@github.com:a/b.git", "git@github.com:a/b.git"],
  ])("%s", (written, repo) => {
    expect(project(parse(`projects: { a: { repo: "${written}" } }`, { HOME: "/home/ada" }), "a").repo).toBe(repo);
  });

  test.each([["ext::sh -c id"], ["-uoops"], ["file:///etc"], ["ftp://example.org/a"], [""], ["transport::address"]])(
    "%j is refused",
    (written) => {
      expect(problemsOf(`projects: { a: { repo: "${written}" } }`)).toHaveLength(1);
    },
  );

  test.each([
    ["https://github.com/distribution/distribution.git", "distribution/distribution"],
    ["git@github.com:a/b.git", "a/b"],
    ["https://user:pw@github.com/a/b", "a/b"],
    ["https://example.org/a/b", undefined],
    ["https://github.com.example.org/a/b", undefined],
  ])("%s tells its forge", (repo, expected) => {
    const { forge } = project(parse(`projects: { a: { repo: "${repo}" } }`), "a");
    expect(forge && `${forge.owner}/${forge.name}`).toBe(expected);
  });

  const SITES = `
gitea: [{ url: "https://git.example.org/" }, { url: "http://10.0.0.5:3000/code", webhook_secret: hunter2 }]
gitlab: [{ url: https://gitlab.example.org }]
`;

  test.each([
    ["https://git.example.org/ada/engine.git", "gitea git.example.org ada engine"],
    ["ssh://git@git.example.org:2222/ada/engine", "gitea git.example.org ada engine"],
    ["http://10.0.0.5:3000/code/ada/engine", "gitea 10.0.0.5:3000 ada engine"],
    ["git@gitlab.example.org:tools/build/engine.git", "gitlab gitlab.example.org tools/build engine"],
    ["https://git.example.org/ada/more/engine", undefined],
    ["https://git.example.org:8443/ada/engine", undefined],
    ["https://example.org/ada/engine", undefined],
    ["git.example.org/ada/engine", undefined],
  ])("%s is on a forge of one's own", (repo, expected) => {
    const { forge } = project(parse(`${SITES}projects: { a: { repo: "${repo}" } }`), "a");
    expect(forge && Object.values(forge).join(" ")).toBe(expected);
  });

  test("names its forge", () => {
    const config = parse(`${SITES}projects: { a: { repo: ., forge: "gitlab:GitLab.example.org/tools/build/engine" } }`);
    expect(project(config, "a").forge).toEqual({
      kind: "gitlab",
      host: "gitlab.example.org",
      owner: "tools/build",
      name: "engine",
    });
    expect(config.gitea[1]).toMatchObject({ url: "http://10.0.0.5:3000/code", host: "10.0.0.5:3000" });
    expect(String(config.gitea[1]?.webhookSecret)).toBe("[secret]");
  });

  test.each([
    [
      'projects: { a: { repo: ., forge: "gitea:example.com/a/b" } }',
      'projects.a.forge: found host "example.com", allowed: git.example.org, 10.0.0.5:3000',
    ],
    [
      'projects: { a: { repo: ., forge: "gitea:git.example.org/a/b/c" } }',
      'projects.a.forge: found "gitea:git.example.org/a/b/c", allowed: a repository of a forge, such as github:distribution/distribution or gitea:git.example.org/ada/engine',
    ],
  ])("%s is refused", (text, problem) => {
    expect(problemsOf(`${SITES}${text}`).map((line) => line.replace(/^docker-ci.yml:\d+: /, ""))).toEqual([problem]);
  });

  test("a forge is told once", () => {
    const text = "gitlab: [{ url: https://a.example.org }, { url: https://a.example.org/git }]";
    expect(problemsOf(text)).toEqual([
      "docker-ci.yml:1: gitlab[1].url: found a.example.org again, allowed: a host of its own for each forge",
    ]);
  });
});

describe("a mistake is told with its key, its line, what was found and what is allowed", () => {
  test.each<[string, string, string[]]>([
    [
      "a size",
      "projects:\n  docker:\n    repo: .\n    limits:\n      memory: lots",
      ['5: projects.docker.limits.memory: found "lots", allowed: a size such as 512m or 4g, at least 6m'],
    ],
    ["an unknown key", "projets: {}", ["1: projets: unknown key. Did you mean projects?"]],
    [
      "an unknown key inside",
      "projects: { a: { repo: ., limits: { memroy: 4g } } }",
      ["1: projects.a.limits.memroy: unknown key. Did you mean memory?"],
    ],
    [
      "a key that is like no other",
      "web: { xyzzy: 1 }",
      ["1: web.xyzzy: unknown key, allowed: user, password, tokens, private, trusted_proxy"],
    ],
    ["a missing key", "irc:\n  - name: a", ["2: irc[0].host: missing, needed: a host name or address"]],
    [
      "a url without a scheme (O-73)",
      "url: //ci.example.org",
      ['1: url: found "//ci.example.org", allowed: an absolute address such as https://ci.example.org'],
    ],
    [
      "a channel that YAML takes for a comment",
      "irc:\n  - name: a\n    host: b\n    channels:\n      - #dev\n",
      [
        '5: irc[0].channels[0]: found nothing, allowed: a channel such as docker-dev or "#docker-dev" (in quotes, as # begins a comment), its key behind a space',
      ],
    ],
    [
      "a time zone",
      "timezone: Mars/Phobos",
      ['1: timezone: found "Mars/Phobos", allowed: a time zone such as Etc/UTC or Europe/Berlin'],
    ],
    ["a prefix", "prefix: bot", ['1: prefix: found "bot", allowed: one to three signs in quotes, such as "!"']],
    [
      "a role",
      "default_roles: [developer, everyone]",
      ['1: default_roles[1]: found "everyone", allowed: developer, approver or admin'],
    ],
    ["a switch", "console: maybe", ['1: console: found "maybe", allowed: true or false']],
    [
      "a schedule",
      'backup: { at: "0 25 * * *" }',
      ['1: backup.at: found "0 25 * * *", allowed: a schedule of five fields such as "0 7 * * *"'],
    ],
    [
      "tls",
      "irc: [{ name: a, host: b, tls: maybe }]",
      ['1: irc[0].tls: found "maybe", allowed: true, false, or a mapping with the keys ca and reject_unauthorized'],
    ],
    [
      "a key of tls",
      "irc: [{ name: a, host: b, tls: { cert: x } }]",
      ["1: irc[0].tls.cert: unknown key, allowed: ca, reject_unauthorized"],
    ],
    [
      "a name of a project",
      "projects: { Docker: { repo: . } }",
      [
        "1: projects.Docker: this name cannot stand here, allowed: lower-case letters, digits, '.', '_' and '-', at most 64",
      ],
    ],
    [
      "a step of a pipeline",
      "projects:\n  a:\n    repo: .\n    pipeline:\n      steps:\n        - { name: t, run: x }",
      ["6: projects.a.pipeline.steps[0].image: missing, needed: an image, as no step before this one builds one"],
    ],
    [
      "a list in place of a mapping",
      "projects: [a]",
      ["1: projects: found a list, allowed: a mapping of names to projects"],
    ],
    [
      "two networks of one name",
      "irc: [{ name: a, host: b }]\nslack: [{ name: a, bot_token: b, app_token: c }]",
      ['2: slack[0].name: found "a" again, allowed: a name of its own for each network'],
    ],
    [
      "a network called console",
      "irc: [{ name: console, host: b }]",
      ["1: irc[0].name: found \"console\", allowed: a name of lower-case letters, digits, '_' and '-', at most 32"],
    ],
    [
      "a room on no network",
      'irc: [{ name: libera, host: b }]\nnotify: { rooms: ["libra/#dev"] }',
      ['2: notify.rooms[0]: found network "libra", allowed: libera. Did you mean libera?'],
    ],
    [
      "an account on no network",
      "people: { ada: { irc: [libera/ada] } }",
      ['1: people.ada.irc[0]: found network "libera", allowed: none, as irc names no network'],
    ],
    [
      "an account without its network",
      "people: { ada: { irc: ada } }",
      ['1: people.ada.irc[0]: found "ada", allowed: an account such as libera/ada'],
    ],
    [
      "one account of two people",
      "irc: [{ name: l, host: b }]\npeople:\n  ada: { irc: [l/ada] }\n  bob: { irc: [l/ADA] }",
      ['4: people.bob.irc[0]: found "l/ADA", which is ada\'s already, allowed: an account of one person'],
    ],
    [
      "an account without a password",
      "irc: [{ name: a, host: b, account: c }]",
      ["1: irc[0].password: missing, needed: it goes with account"],
    ],
    ["half a login", "web: { user: ada }", ["1: web.password: missing, needed: it goes with user"]],
    [
      "a user whose name would end in the middle of the password",
      "web: { user: 'a:b', password: x }",
      ['1: web.user: found "a:b", allowed: a name without spaces and colons, at most 64 characters'],
    ],
    [
      "a token that can be guessed, which is not repeated",
      "web:\n  tokens:\n    deploy: hunter2",
      ["3: web.tokens.deploy: found a text, allowed: a token of at least 16 characters"],
    ],
    [
      "a proxy that nobody knows",
      "web: { trusted_proxy: { addresses: [10.0.0.0/33, localhost], header: 'X User' } }",
      [
        '1: web.trusted_proxy.addresses[0]: found "10.0.0.0/33", allowed: an address such as 127.0.0.1 or 10.0.0.0/8',
        '1: web.trusted_proxy.addresses[1]: found "localhost", allowed: an address such as 127.0.0.1 or 10.0.0.0/8',
        '1: web.trusted_proxy.header: found "X User", allowed: a header such as X-Forwarded-User',
      ],
    ],
    [
      "certificates for a Redis that is spoken to in the clear, and half a pair of them",
      "redis: redis://10.0.0.5\nredis_tls: { ca: ca.crt, cert: worker.crt }",
      [
        "2: redis_tls: needs an address that begins with rediss:// in redis",
        "2: redis_tls.key: missing, needed: it goes with cert",
      ],
    ],
    [
      "labels that are none",
      "labels: [Big, 'a b']",
      [
        "1: labels[0]: found \"Big\", allowed: a label of lower-case letters, digits, '.', '_' and '-', at most 32, such as big",
        "1: labels[1]: found \"a b\", allowed: a label of lower-case letters, digits, '.', '_' and '-', at most 32, such as big",
      ],
    ],
    [
      "a page for nobody",
      "web: { private: true }",
      ["1: web.user: missing, needed: private goes with user and password, or trusted_proxy.header"],
    ],
    [
      "one name on the page for two people",
      "people:\n  ada: { web: ada }\n  bob: { web: [bob, ada] }",
      ['3: people.bob.web[1]: found "ada", which is ada\'s already, allowed: a name of one person'],
    ],
    [
      "a network that is called as the page is",
      "irc: [{ name: web, host: b }]",
      ["1: irc[0].name: found \"web\", allowed: a name of lower-case letters, digits, '_' and '-', at most 32"],
    ],
    [
      "a network that is called as the forges are",
      "irc: [{ name: forge, host: b }]",
      ["1: irc[0].name: found \"forge\", allowed: a name of lower-case letters, digits, '_' and '-', at most 32"],
    ],
    [
      "a release of no project",
      "projects: { docker: { repo: . } }\nreleases: { dokcer: { bucket: abc } }",
      ["2: releases.dokcer: no project has this name. Did you mean docker?"],
    ],
    [
      "all at once, also what concerns several keys",
      "concurrency: 0\nirc:\n  - { name: a, host: b, chanels: [] }\n  - { name: a, host: c }\nredis: 5",
      [
        "1: concurrency: found 0, allowed: a whole number from 1 to 256",
        "3: irc[0].chanels: unknown key. Did you mean channels?",
        '4: irc[1].name: found "a" again, allowed: a name of its own for each network',
        "5: redis: found a number, allowed: an address such as redis://:password@host:6379/0",
      ],
    ],
  ])("%s", (_what, source, expected) => {
    expect(problemsOf(source)).toEqual(expected.map((problem) => `docker-ci.yml:${problem}`));
  });

  test("and a secret is never among it", () => {
    const source = "redis: hunter2\nirc: [{ name: a, host: b, password: [hunter2] }]\ngithub: { tokn: hunter2 }";
    expect(problemsOf(source)).toHaveLength(3);
    expect(problemsOf(source).join()).not.toContain("hunter2");
    expect(problemsOf('projects: { a: { repo: "https://ada:hunter2@host /x" } }').join()).not.toContain("hunter2");
    expect(problemsOf("url: x$PASSWORD", { PASSWORD: "hunter2" }).join()).not.toContain("hunter2");
  });

  test("sections that are left empty are as good as absent", () => {
    expect(parse("projects:\nirc:\npeople:\nweb:\n").projects.size).toBe(0);
  });
});

describe("a secret", () => {
  test("shows itself only when it is asked to", () => {
    const secret = new Secret("hunter2");
    expect([["", secret].join(), JSON.stringify({ secret }), inspect({ secret }), String(secret)].join()).not.toContain(
      "hunter2",
    );
    expect(secret.reveal()).toBe("hunter2");
  });

  test("of a whole configuration neither", () => {
    const config = parse(FULL_CONFIG, FULL_ENVIRONMENT);
    expect(inspect(config, { depth: 20 }) + JSON.stringify(config)).not.toContain("hunter2");
    expect(config.irc[0]?.password?.reveal()).toBe("hunter2");
  });
});

describe("the file", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "docker-ci-config-"));
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "docker-ci.yml"), "concurrency: 3");
    await writeFile(join(folder, "other.yml"), "concurrency: 4");
    await writeFile(join(folder, "wrong.yml"), "concurrency: x");
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("is docker-ci.yml of the working directory, or the one that DOCKER_CI_CONFIG names", async () => {
    expect(await loadConfig({ env: {}, cwd: folder })).toMatchObject({
      concurrency: 3,
      file: join(folder, "docker-ci.yml"),
    });
    expect(await loadConfig({ env: { DOCKER_CI_CONFIG: "other.yml" }, cwd: folder })).toMatchObject({ concurrency: 4 });
    expect(await loadConfig({ env: {}, cwd: join(folder, "empty") })).toMatchObject({
      concurrency: 2,
      file: undefined,
    });
  });

  test("that is named and not there, or cannot be read, stops the start", async () => {
    const absent = loadConfig({ env: { DOCKER_CI_CONFIG: "absent.yml" }, cwd: folder });
    await expect(absent).rejects.toThrow(`${folder}/absent.yml (named by DOCKER_CI_CONFIG): there is no such file`);
    await expect(loadConfig({ env: { DOCKER_CI_CONFIG: folder }, cwd: folder })).rejects.toThrow(ConfigError);
    const wrong = loadConfig({ env: { DOCKER_CI_CONFIG: "wrong.yml" }, cwd: folder });
    await expect(wrong).rejects.toThrow('wrong.yml:1: concurrency: found "x"');
  });
});

function parse(source: string, env: Record<string, string> = {}): Config {
  return parseConfig(source, { file: "/srv/ci/docker-ci.yml", env, cwd: "/srv/ci" });
}

function problemsOf(source: string, env: Record<string, string> = {}): readonly string[] {
  try {
    parse(source, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("accepted");
}

function project(config: Config, name: string) {
  const found = config.projects.get(ProjectName.parse(name));
  if (found === undefined) throw new Error(`no project ${name}`);
  return found;
}
