/** The commands that repeat a step: what stands in them, what does not, and that they come to the same end. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { connectDocker } from "../../adapters/docker/index.ts";
import { Build } from "../../src/builds/build.ts";
import { reproCommands, reproText, stepToRepeat } from "../../src/builds/repro.ts";
import { defaultProject, Secret } from "../../src/config.ts";
import { ProjectName, Sha } from "../../src/names.ts";
import { RecordedPlan } from "../../src/pipeline/plan-record.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { ADA, ago, revisionOf } from "../support/records.ts";
import { commitFiles } from "../support/repository.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SECRET = "hunter2hunter2";
const NAME = ProjectName.parse("docker-registry");

const image = {
  kind: "build",
  id: "image",
  name: "image",
  needs: [],
  context: ".",
  dockerfile: "Dockerfile",
  args: {},
};
const tests = {
  kind: "run",
  id: "tests",
  name: "tests",
  needs: ["image"],
  script: "npm test",
  image: { kind: "step", step: "image" },
  env: {},
  services: {},
};

function planOf(steps: readonly unknown[], changes: Record<string, unknown> = {}): RecordedPlan {
  return RecordedPlan.parse({ steps, isParallel: false, projectEnv: [], secrets: [], ...changes });
}

function failedBuild(steps: readonly unknown[], changes: Record<string, unknown> = {}): Build {
  return Build.parse({
    number: 43,
    project: NAME,
    ref: "main",
    revision: revisionOf("3"),
    requester: ADA,
    params: {},
    attempt: 1,
    requestedAt: ago(600),
    state: { kind: "failed", startedAt: ago(60), finishedAt: ago(0), reason: "step tests, exit 1" },
    steps,
    ...changes,
  });
}

const FAILED = { name: "tests", kind: "run", state: "failed", durationMs: 1, exitCode: 1 };

function sceneOf(repo = "https://github.com/distribution/distribution", changes = {}) {
  const project = { ...defaultProject(NAME, repo), secrets: { NPM_TOKEN: new Secret(SECRET) }, ...changes };
  return { project, env: { CI: "true", DOCKER_CI_BUILD: "43" } };
}

function commandsFor(steps: readonly unknown[], changes = {}, scene = sceneOf(), wanted?: string): readonly string[] {
  const plan = planOf(steps, changes);
  const build = failedBuild([FAILED]);
  return reproCommands(build, plan, stepToRepeat(build, plan, wanted), scene).commands;
}

describe("the commands", () => {
  test("fetch the revision, build the image, and run the step as it ran", () => {
    expect(commandsFor([image, tests])).toEqual([
      `git clone --quiet --recurse-submodules https://github.com/distribution/distribution docker-registry-43 && cd docker-registry-43 && git checkout --quiet --recurse-submodules --detach ${"3".repeat(40)} &&`,
      "docker build -t docker-ci-repro:43-image . &&",
      `mkdir -p -m 777 docker-ci-data && docker run --rm --init --memory 4g --memory-swap 4g --pids-limit 4096 -v "$PWD"/docker-ci-data:/data -e CI=true -e DOCKER_CI_BUILD=43 --entrypoint /bin/sh docker-ci-repro:43-image -e -c 'npm test'`,
    ]);
  });

  test("are short for a chat", () => {
    const scene = { ...sceneOf(), brief: true };
    expect(commandsFor([image, tests], {}, scene).at(-1)).toBe(
      `mkdir -p -m 777 docker-ci-data && docker run --rm --init -v "$PWD"/docker-ci-data:/data -e CI=true --entrypoint /bin/sh docker-ci-repro:43-image -e -c 'npm test'`,
    );
  });

  test("keep the memory limit where that was what ended the step", () => {
    const plan = planOf([image, tests]);
    const build = failedBuild([{ ...FAILED, meaning: "out of memory (limit 4 GiB)" }]);
    const scene = { ...sceneOf(), brief: true };
    const { commands } = reproCommands(build, plan, stepToRepeat(build, plan, undefined), scene);
    expect(commands.at(-1)).toContain(" --memory 4g --memory-swap 4g ");
  });

  test("build what the image is made from under its step's name, and nothing that is not needed", () => {
    const base = {
      ...image,
      id: "base",
      name: "base",
      context: "docker",
      dockerfile: "base.Dockerfile",
      target: "slim",
    };
    const docs = { ...image, id: "docs", name: "docs", needs: ["image"] };
    const top = { ...image, needs: ["base"], args: { VERSION: "it's 1" } };
    expect(commandsFor([base, top, docs, { ...tests, needs: ["image", "docs"] }]).slice(1, -1)).toEqual([
      "docker build -t docker-ci-repro:43-base -t base -f docker/base.Dockerfile --target slim docker &&",
      "docker build -t docker-ci-repro:43-image --build-arg 'VERSION=it'\\''s 1' . &&",
    ]);
    expect(commandsFor([base, top, tests], {}, sceneOf(), "base")).toHaveLength(2);
  });

  test("take the lane that failed, with its values before the step's own", () => {
    const lane = (number: number, NODE: string) => [
      { ...image, id: `image.${number}`, lane: { NODE } },
      { ...tests, id: `tests.${number}`, needs: [`image.${number}`], lane: { NODE, TZ: "UTC" }, env: { TZ: "a b" } },
    ];
    const plan = planOf([...lane(1, "20"), ...lane(2, "22")]);
    const build = failedBuild([{ ...FAILED, id: "tests.2", lane: { NODE: "22", TZ: "UTC" } }]);
    for (const wanted of [undefined, "tests", "tests.2", "tests NODE=22 TZ=UTC"]) {
      const { commands } = reproCommands(build, plan, stepToRepeat(build, plan, wanted), sceneOf());
      expect(commands[1]).toBe("docker build -t docker-ci-repro:43-image --build-arg NODE=22 . &&");
      expect(commands[2]).toContain(" -e NODE=22 -e 'TZ=a b' --entrypoint ");
      expect(commands).toHaveLength(3);
    }
    expect(stepToRepeat(build, plan, "tests.1").id).toBe("tests.1");
  });

  test("hold no secret, whoever wrote it where, and say what is to be set", () => {
    const leaky = {
      ...tests,
      script: `echo ${SECRET}`,
      env: { TOKEN: `Bearer ${SECRET}` },
      services: { db: { image: "postgres:16", env: { PASSWORD: SECRET } } },
    };
    const plan = planOf([{ ...image, args: { KEY: SECRET } }, leaky], {
      projectEnv: ["CGO_ENABLED"],
      secrets: ["NPM_TOKEN"],
    });
    const build = failedBuild([FAILED]);
    const scene = sceneOf(`https://ada:${SECRET}@git.example.org/x?token=${SECRET}`);
    const text = reproText(build, plan, stepToRepeat(build, plan, undefined), scene);
    expect(text).not.toContain(SECRET);
    expect(text).toContain(" -e CGO_ENABLED -e NPM_TOKEN -e TOKEN ");
    expect(text).toContain("git clone --quiet --recurse-submodules https://git.example.org/x docker");
    for (const name of ["KEY", "PASSWORD", "CGO_ENABLED", "NPM_TOKEN", "TOKEN"]) {
      expect(text).toContain(`# The value of ${name} is not told here. Export it before.\n`);
    }
  });

  test.each([
    ["ssh://git:pw@git.example.org/x", "ssh://git@git.example.org/x"],
    ["ssh://git@git.example.org:22/x", "ssh://git@git.example.org:22/x"],
    ["git@github.com:distribution/distribution.git", "git@github.com:distribution/distribution.git"],
    ["https://tok%40en@git.example.org/x", "https://git.example.org/x"],
    ["/srv/it's", "'/srv/it'\\''s'"],
  ])("clone %s from %s", (repo, shown) => {
    expect(commandsFor([image, tests], {}, sceneOf(repo))[0]).toContain(`submodules ${shown} docker-registry-43 `);
  });

  test("start services in a network, wait for them, and remove both whatever comes", () => {
    const services = { redis: { image: "redis:7", ready: "redis-cli ping", env: { A: "b c" } } };
    const commands = commandsFor([
      { ...tests, needs: [], image: { kind: "reference", reference: "node:20" }, services },
    ]);
    expect(commands.slice(1)).toEqual([
      "docker network create docker-ci-repro-43 &&",
      "docker run -d --init --name docker-ci-repro-43-redis --network docker-ci-repro-43 --network-alias redis -e 'A=b c' redis:7 &&",
      `{ n=0; until docker exec docker-ci-repro-43-redis sh -c 'redis-cli ping' || [ "$n" -ge 60 ]; do n=$((n+1)); sleep 1; done; } &&`,
      expect.stringContaining(" --network docker-ci-repro-43 --memory 4g "),
      "status=$?",
      "docker rm -f -v docker-ci-repro-43-redis; docker network rm docker-ci-repro-43",
      '(exit "$status")',
    ]);
    const alone = commandsFor([image, tests], {}, sceneOf(undefined, { network: "none" }));
    expect(alone[1]).toContain("docker build --network none ");
    expect(alone[2]).toContain(" --network none ");
  });
});

describe("which step", () => {
  const plan = planOf([image, tests]);
  test("there is none of that name: the nearest", () => {
    expect(() => stepToRepeat(failedBuild([FAILED]), plan, "test")).toThrow(
      '#43 has no step "test". Did you mean tests? There are image, tests.',
    );
  });
  test("nothing failed: those there are", () => {
    expect(() => stepToRepeat(failedBuild([]), plan, undefined)).toThrow(
      "#43 has no step that failed. Name one to repeat: image, tests.",
    );
  });
  test("what failed the build comes before what was allowed to fail", () => {
    const lint = { ...tests, id: "lint", name: "lint" };
    const build = failedBuild([{ ...FAILED, name: "lint", allowed: true }, FAILED]);
    expect(stepToRepeat(build, planOf([image, lint, tests]), undefined).name).toBe("tests");
  });
});

describe("run for real", () => {
  test.each([
    ["a failing step", 'test "$GREETING" = "it\'s \\$5" && test -w /data && test "$CI" = true && exit 7', {}, 7],
    ["one that passes", "exit 0", {}, 0],
    [
      "one with a service",
      "node -e 'fetch(\"http://web:8000\").then(r => process.exit(r.status === 200 ? 9 : 1))'",
      {
        web: {
          image: BASE_IMAGE,
          ready: "node -e 'fetch(\"http://localhost:8000\").catch(() => process.exit(1))'",
          env: {},
        },
      },
      9,
    ],
  ])(
    "%s ends with the same exit code, and leaves nothing but its image",
    async (_what, script, services, code) => {
      await using folder = await temporaryFolder();
      const number = 1_000_000 + randomBytes(3).readUIntBE(0, 3);
      const repo = join(folder.path, "it's a repository");
      const server = "require('http').createServer((q, s) => s.end('ok')).listen(8000)";
      const sha = await commitFiles(repo, {
        Dockerfile: `FROM ${BASE_IMAGE}\nCMD ["node", "-e", "${server}"]\n`,
      });
      await commitFiles(repo, { Dockerfile: "FROM scratch\n" });
      const tag = `docker-ci-repro:${number}-image`;
      const of = Object.fromEntries(Object.entries(services).map(([name, each]) => [name, { ...each, image: tag }]));
      const step = { ...tests, script, services: of, env: { GREETING: "it's $5" } };
      const plan = planOf([image, step]);
      const build = failedBuild([FAILED], { number, revision: { ...revisionOf("0"), sha: Sha.parse(sha) } });
      const project = {
        ...defaultProject(NAME, repo),
        limits: { ...defaultProject(NAME, repo).limits, memoryBytes: 256 * 1024 ** 2 },
      };
      const text = reproText(build, plan, stepToRepeat(build, plan, undefined), { project, env: { CI: "true" } });
      const runtime = connectDocker(undefined);
      try {
        const ended = await promisify(execFile)("/bin/sh", ["-c", text], { cwd: folder.path }).then(
          () => ({ code: 0, stderr: "" }),
          (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
        );
        expect(ended.code, ended.stderr).toBe(code);
        const left = await promisify(execFile)("docker", ["ps", "-aq", "--filter", `name=docker-ci-repro-${number}`]);
        const networks = ["network", "ls", "-q", "--filter", `name=docker-ci-repro-${number}`];
        expect(left.stdout + (await promisify(execFile)("docker", networks)).stdout).toBe("");
      } finally {
        await runtime.removeImage(tag);
      }
    },
    120_000,
  );
});
