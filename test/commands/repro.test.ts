/** `!repro` in a chat: commands where they fit, a link in any case. */
import { expect, test } from "vitest";
import { Build } from "../../src/builds/build.ts";
import { RecordedPlan } from "../../src/pipeline/plan-record.ts";
import { ago, CONFIG, configOf, openRecords, type Records } from "../support/records.ts";
import { openTalk } from "../support/talk.ts";

const SECRETS = CONFIG.replace("hello }", "hello, secrets: { NPM_TOKEN: hunter2hunter2 }, env: { CGO_ENABLED: '0' } }");

async function failed(
  records: Records,
  project: string,
  changes: { script?: string; projectEnv?: string[]; secrets?: string[] },
) {
  const { script = "npm test", projectEnv = [], secrets = [] } = changes;
  const build = await records.begin(await records.create(project));
  const plan = RecordedPlan.parse({
    steps: [
      { kind: "build", id: "image", name: "image", needs: [], context: ".", dockerfile: "Dockerfile", args: {} },
      {
        kind: "run",
        id: "tests",
        name: "tests",
        needs: ["image"],
        script,
        image: { kind: "step", step: "image" },
        env: {},
        services: {},
      },
    ],
    isParallel: false,
    projectEnv,
    secrets,
  });
  await records.store.setPlan(build.number, plan);
  const steps = Build.shape.steps.parse([{ name: "tests", kind: "run", state: "failed", durationMs: 1, exitCode: 1 }]);
  const state = { kind: "failed", startedAt: ago(60), finishedAt: ago(0), reason: "step tests, exit 1" } as const;
  await records.end(build, state, { steps });
}

test("the commands, which name no secret, and the link to all of it", async () => {
  await using records = await openRecords(configOf(SECRETS));
  await failed(records, "hello", { projectEnv: ["CGO_ENABLED"], secrets: ["NPM_TOKEN"] });
  expect(await openTalk(records).ask("!repro 1")).toEqual([
    "hello #1 step tests, repeated with git and docker · to be exported before, as they are not told: CGO_ENABLED, NPM_TOKEN · https://ci.example.org/builds/1/repro",
    `git clone --quiet --recurse-submodules /repositories/hello hello-1 && cd hello-1 && git checkout --quiet --recurse-submodules --detach ${"0".repeat(40)} &&`,
    "docker build -t docker-ci-repro:1-image . &&",
    `mkdir -p -m 777 docker-ci-data && docker run --rm --init -v "$PWD"/docker-ci-data:/data -e CI=true -e CGO_ENABLED -e NPM_TOKEN --entrypoint /bin/sh docker-ci-repro:1-image -e -c 'npm test'`,
  ]);
});

test("a script of several lines is behind the link, as a line of chat would change it", async () => {
  await using records = await openRecords();
  await failed(records, "docker", { script: "npm ci\nnpm test" });
  const talk = openTalk(records);
  const link = "https://ci.example.org/builds/1/repro";
  expect(await talk.ask("!repro #1")).toEqual([`docker #1 step tests, repeated with git and docker · ${link}`]);
  expect((await talk.ask("!repro 1 tests"))[0]).toContain(`${link}?step=tests`);
  expect(await talk.ask("!repro 1 image")).toHaveLength(3);
});

test("what cannot be repeated is said in a sentence", async () => {
  await using records = await openRecords();
  await failed(records, "docker", {});
  await records.create("docker");
  const talk = openTalk(records);
  expect(await talk.ask("!repro 1 tets")).toEqual([
    '#1 has no step "tets". Did you mean tests? There are image, tests.',
  ]);
  expect(await talk.ask("!repro 2")).toEqual(["#2 has no plan on record: it did not come so far, or is too old."]);
  expect(await talk.ask("!repro 9")).toEqual(["there is no build #9. The newest is #2."]);
});
