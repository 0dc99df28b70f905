/** Each verb of `dcr` against the real Engine (O-140 to O-149, O-155, O-157, O-158, O-180). */
import { execFile } from "node:child_process";
import { chown, mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { z } from "zod";
import { BASE_IMAGE } from "../support/docker.ts";
import { startForeignRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";
import { type DcrCorner, idleApplication, LOCAL, openDcrCorner, webApplication } from "./dcr-corner.ts";

/** The lines of a table, with one space between columns. */
const linesOf = (text: string) => text.split("\n").map((line) => line.replace(/ +/g, " "));

test.concurrent("a container's life: create, start, status, logs, stop, remove, each twice (O-142, O-143, O-144, O-145)", async () => {
  await using corner = await openDcrCorner();
  const web = corner.name("web");
  await corner.write("app.yml", { web: webApplication(web, "one") });
  const said = async (...words: string[]) => {
    const { code, all } = await corner.run(["app.yml", ...words]);
    return [code, linesOf(all).slice(0, 2).at(-1)];
  };
  expect(await said("status")).toEqual([0, `local ${web} doesnotexist`]);
  expect(await said("diff")).toEqual([0, `local ${web} would be created and started`]);
  expect(await said("create")).toEqual([0, `local ${web} created`]);
  expect(await said("create")).toEqual([0, `local ${web} exists, stopped`]);
  expect((await said("status"))[1]).toMatch(new RegExp(`^local ${web} stopped exit 0 ${BASE_IMAGE} [0-9a-f]{12}$`));
  expect(await said("start")).toEqual([0, `local ${web} started`]);
  expect(await said("start")).toEqual([0, `local ${web} running already`]);
  expect(await said("diff")).toEqual([0, `local ${web} nothing`]);
  expect((await said("status"))[1]).toMatch(/running \ds docker-ci\/base [0-9a-f]{12} \d+:8000$/);
  expect((await corner.run(["app.yml", "logs"])).output).toBe("listening \n");
  expect(await said("remove", "--yes")).toEqual([1, `local ${web} failed: it is running; stop it first`]);
  expect(await said("stop")).toEqual([0, `local ${web} stopped`]);
  expect(await said("stop")).toEqual([0, `local ${web} stopped already`]);
  expect(await said("remove", "--yes")).toEqual([0, `local ${web} removed`]);
  expect(await said("remove", "--yes")).toEqual([0, `local ${web} doesnotexist`]);
});

test.concurrent("remove asks, and does nothing where nobody answers or the answer is no", async () => {
  await using corner = await openDcrCorner();
  await corner.write("app.yml", { idle: idleApplication(corner.name("idle")) });
  await corner.run(["app.yml", "create"]);
  const nobody = await corner.run(["app.yml", "remove"]);
  expect([nobody.code, nobody.errors]).toEqual([64, expect.stringContaining("say --yes")]);
  const no = await corner.run(["app.yml", "remove"], { answer: "" });
  expect([no.code, no.all]).toEqual([
    1,
    expect.stringMatching(/Remove .*-idle on local\? \[y\/N\] Nothing is removed\./),
  ]);
  expect((await corner.run(["app.yml", "remove"], { answer: "y" })).output).toContain("removed");
});

test.concurrent("all applications in the file's order, links through a network with aliases (O-140, O-157)", async () => {
  await using corner = await openDcrCorner();
  const [db, web] = [corner.name("db"), corner.name("web")];
  await corner.write("app.yml", {
    db: idleApplication(db),
    web: idleApplication(web, { links: ["db:database"], hostname: "web-host", labels: { team: "ci" } }),
  });
  const started = await corner.run(["app.yml", "start"]);
  expect(started.code).toBe(0);
  expect(linesOf(started.output).slice(1, 3)).toEqual([
    `local ${db} created and started`,
    `local ${web} created and started`,
  ]);
  const { stdout } = await promisify(execFile)("docker", ["exec", web, "sh", "-c", "getent hosts database; hostname"]);
  expect(stdout).toMatch(/^[\d.]+ +database\nweb-host\n$/);
  const stopped = await corner.run(["app.yml", "stop"]);
  expect(linesOf(stopped.output).slice(1, 3)).toEqual([`local ${web} stopped`, `local ${db} stopped`]);
});

test.concurrent("what comes after an application that fails is left out, and the exit code tells (O-141)", async () => {
  await using corner = await openDcrCorner();
  const [bad, web] = [corner.name("bad"), corner.name("web")];
  await corner.write("app.yml", {
    bad: idleApplication(bad, { command: ["sh", "-c", "exit 3"] }),
    web: idleApplication(web),
  });
  const { code, output } = await corner.run(["app.yml", "start"]);
  expect(code).toBe(1);
  expect(linesOf(output).slice(1, 3)).toEqual([
    `local ${bad} failed: ${bad} stopped with exit code 3`,
    `local ${web} left out, because of ${bad}`,
  ]);
  const only = await corner.run(["app.yml", "start", "--only", "web"]);
  expect([only.code, linesOf(only.output)[1]]).toEqual([0, `local ${web} created and started`]);
});

test.concurrent("a host that is away does not keep the others from it (O-141)", async () => {
  await using corner = await openDcrCorner();
  const idle = corner.name("idle");
  await corner.write("app.yml", { idle: idleApplication(idle) });
  await corner.write("settings.yml", {
    default: {
      daemons: [
        { address: "unix:///nowhere.sock", name: "gone" },
        { address: LOCAL, name: "here" },
      ],
    },
  });
  const { code, output } = await corner.run(["app.yml", "start"]);
  expect(code).toBe(1);
  expect(linesOf(output)[1]).toBe(
    `gone ${idle} failed: the Docker Engine at unix:///nowhere.sock does not answer (connect ENOENT)`,
  );
  expect(linesOf(output)[2]).toBe(`here ${idle} created and started`);
  const status = await corner.run(["app.yml", "status", "--json"]);
  const rows = z.array(z.looseObject({ host: z.string(), state: z.string() })).parse(JSON.parse(status.output));
  expect([status.code, rows.map(({ host, state }) => [host, state])]).toEqual([
    1,
    [
      ["gone", "unknown"],
      ["here", "running"],
    ],
  ]);
});

// O-175: they are in no argument and no label
test.concurrent("values of the environment reach the container, and are never seen (O-155)", async () => {
  await using corner = await openDcrCorner();
  const web = corner.name("web");
  const env = ["GREETING=hello", "$TOKEN", "$MAYBE?"];
  await corner.write("app.yml", { web: webApplication(web, "one", { env }) });
  const unset = await corner.run(["app.yml", "start"]);
  expect([unset.code, unset.errors]).toEqual([78, expect.stringContaining("web.env: $TOKEN is not set")]);
  const said: string[] = [];
  const run = async (words: string[], values: Record<string, string>) => {
    const ran = await corner.run(["app.yml", ...words], { env: values });
    said.push(ran.all);
    return ran;
  };
  await run(["start"], { TOKEN: "hush-hush" });
  const info = await corner.docker.getContainer(web).inspect();
  expect(info.Config.Env).toEqual(expect.arrayContaining(["GREETING=hello", "TOKEN=hush-hush"]));
  expect(JSON.stringify([info.Config.Labels, info.Config.Cmd, info.Args])).not.toContain("hush");
  // Verbs that make nothing need no values.
  expect((await run(["status"], {})).code).toBe(0);
  const diff = await run(["diff"], { TOKEN: "hush-two", MAYBE: "hush-three" });
  expect(linesOf(diff.output).map((line) => line.trim())).toEqual(
    expect.arrayContaining(["env TOKEN: changed", "env MAYBE: added"]),
  );
  expect(said.join("")).not.toContain("hush");
});

// O-143: what exists and differs is shown
test.concurrent("a container that differs is left alone, told, and replaced by --recreate; it comes back when that fails", async () => {
  await using corner = await openDcrCorner();
  const web = corner.name("web");
  const write = (changes: object) => corner.write("app.yml", { web: webApplication(web, "one", changes) });
  await write({});
  await corner.run(["app.yml", "start"]);
  const { Id: first, NetworkSettings: at } = await corner.docker.getContainer(web).inspect();
  await write({ read_only: true, tmpfs: "/tmp", restart: "on-failure:3", user: "1000:1000", init: true });
  const differs = await corner.run(["app.yml", "start"]);
  expect([differs.code, differs.output]).toEqual([1, expect.stringContaining("made with other settings")]);
  expect(differs.output).toMatch(/user: added \(1000:1000\)\n.*read_only: added \(true\)\n/);
  expect((await corner.docker.getContainer(web).inspect()).Id).toBe(first);

  expect((await corner.run(["app.yml", "start", "--recreate"])).code).toBe(0);
  const second = await corner.docker.getContainer(web).inspect();
  expect(second.Id).not.toBe(first);
  // Gateways find it where it was.
  expect(second.NetworkSettings.Ports).toEqual(at.Ports);
  expect((await corner.run(["app.yml", "diff"])).output).toContain("nothing");
  expect(second.HostConfig).toMatchObject({
    ReadonlyRootfs: true,
    Init: true,
    RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
    Tmpfs: { "/tmp": "" },
  });
  expect(second.Config.User).toBe("1000:1000");

  await write({ command: ["sh", "-c", "exit 4"] });
  const failed = await corner.run(["app.yml", "start", "--recreate"]);
  expect([failed.code, failed.output]).toEqual([1, expect.stringContaining("stopped with exit code 4")]);
  const back = await corner.docker.getContainer(web).inspect();
  expect([back.Id, back.State.Running]).toEqual([second.Id, true]);
});

test.concurrent("logs -f goes on until Ctrl-C, names the host and container of each line, and shows no control characters", async () => {
  await using corner = await openDcrCorner();
  const line = (text: string) => ["sh", "-c", `printf '${text}\\033[2J\\n'; sleep 600`];
  await corner.write("app.yml", {
    aa: idleApplication(corner.name("aa"), { command: line("alpha") }),
    bb: idleApplication(corner.name("bb"), { command: line("beta") }),
  });
  await corner.run(["app.yml", "start"]);
  const leave = new AbortController();
  let seen = "";
  const following = corner.run(["app.yml", "logs", "-f", "--tail", "10"], {
    signal: leave.signal,
    onOutput: (text) => {
      seen += text;
    },
  });
  await waitFor("both lines", () => seen.includes("alpha\n") && seen.includes("beta\n"), { seen: () => seen });
  leave.abort();
  expect((await following).code).toBe(0);
  expect(seen.split("\n").toSorted()).toEqual([
    "",
    `local ${corner.name("aa")} | alpha`,
    `local ${corner.name("bb")} | beta`,
  ]);
});

test.concurrent("init makes folders with the owner that the container runs as, and checks each variable (O-158)", async () => {
  await using corner = await openDcrCorner();
  const at = (name: string) => join(corner.folder, name);
  await mkdir(at("full"));
  await writeFile(at("full/kept"), "");
  await mkdir(at("empty"));
  await chown(at("empty"), 0, 0);
  const volumes = [`${at("new/deep")}:/data`, `${at("full")}:/full`, `${at("empty")}:/empty`];
  const env = ["$TOKEN", "$MAYBE?", "WRITTEN=1"];
  await corner.write("app.yml", { idle: idleApplication(corner.name("idle"), { volumes, env, user: "1234:2345" }) });
  const early = await corner.run(["app.yml", "start"], { env: { TOKEN: "hush" } });
  expect(early.output).toContain(`the host has no folder ${at("new/deep")}; "init" makes it`);

  const { code, output } = await corner.run(["app.yml", "init"]);
  expect(code).toBe(1);
  expect(linesOf(output).map((line) => line.trim())).toEqual(
    expect.arrayContaining([
      "idle TOKEN NOT SET",
      "idle MAYBE not set, may be left out",
      `${at("new/deep")} made, owner 1234:2345`,
      `${at("full")} exists, owner 0:0`,
      `${at("empty")} exists, owner 1234:2345`,
    ]),
  );
  const made = await stat(at("new/deep"));
  expect([made.uid, made.gid]).toEqual([1234, 2345]);
  const again = await corner.run(["app.yml", "init"], { env: { TOKEN: "hush" } });
  expect([again.code, again.all]).toEqual([0, expect.not.stringContaining("hush")]);
  expect((await corner.run(["app.yml", "start"], { env: { TOKEN: "hush" } })).code).toBe(0);
});

test.concurrent("group_add with a path is the group that owns it on the host, and folders are 1000:1000 unless somebody says", async () => {
  await using corner = await openDcrCorner();
  const folder = join(corner.folder, "shared");
  await mkdir(folder);
  await chown(folder, 0, 4321);
  const volumes = [`${join(corner.folder, "data")}:/data`];
  await corner.write("app.yml", {
    idle: idleApplication(corner.name("idle"), { group_add: [folder, "audio"], volumes }),
  });
  expect((await corner.run(["app.yml", "init"])).output).toMatch(/data made, owner 1000:1000/);
  expect((await corner.run(["app.yml", "start"])).code).toBe(0);
  const info = await corner.docker.getContainer(corner.name("idle")).inspect();
  expect(info.HostConfig.GroupAdd).toEqual(["4321", "audio"]);
});

async function withGateway(corner: DcrCorner, redis: string): Promise<void> {
  await corner.write("settings.yml", {
    default: { daemons: [LOCAL], hipaches: [redis], base_domain: ["example.org"] },
  });
}

test.concurrent("register, backends, unregister; also when the container is stopped or gone (O-147, O-148, O-180)", async () => {
  await using corner = await openDcrCorner();
  await using server = await startForeignRedis([]);
  await withGateway(corner, new URL(server.url).host);
  const web = corner.name("web");
  await corner.write("app.yml", { web: webApplication(web, "one") });
  const early = await corner.run(["app.yml", "register", "ci.example.org"]);
  expect([early.code, early.errors]).toEqual([1, expect.stringContaining("it runs nowhere")]);

  await corner.run(["app.yml", "start"]);
  expect((await corner.run(["app.yml", "register", "CI.example.org"])).code).toBe(0);
  const redis = new Redis(server.url);
  const list = () => redis.lrange("frontend:ci.example.org", 0, -1);
  const [identifier, backend = "", ...more] = await list();
  expect([identifier, more]).toEqual([web, []]);
  expect(await (await fetch(backend)).text()).toBe("one");
  expect((await corner.run(["app.yml", "register", "ci.example.org"])).output).toContain("nothing to change");
  expect((await corner.run(["app.yml", "backends", "ci.example.org"])).output).toContain(`${web}: ${backend}`);

  await corner.run(["app.yml", "stop"]);
  const stopped = await corner.run(["app.yml", "unregister", "ci.example.org"]);
  expect([stopped.code, await list()]).toEqual([0, [web]]);
  const twice = await corner.run(["app.yml", "unregister", "ci.example.org"]);
  expect([twice.code, twice.output]).toEqual([1, expect.stringContaining("ci.example.org has no backends")]);

  await corner.run(["app.yml", "start"]);
  // Without a domain: the release's name and the base domain (O-152).
  expect((await corner.run(["app.yml", "register"])).output).toContain(`${web}.example.org`);
  await corner.run(["app.yml", "stop"]);
  await corner.run(["app.yml", "remove", "--yes"]);
  expect((await corner.run(["app.yml", "unregister"])).code).toBe(0);
  redis.disconnect();
});

test.concurrent("unregister_all asks, and leaves the identifier (O-149)", async () => {
  await using corner = await openDcrCorner();
  await using server = await startForeignRedis([]);
  await withGateway(corner, new URL(server.url).host);
  await corner.write("app.yml", { web: webApplication(corner.name("web"), "one") });
  const redis = new Redis(server.url);
  await redis.rpush("frontend:ci.example.org", "other", "http://10.0.0.9:80");
  const no = await corner.run(["app.yml", "unregister_all", "ci.example.org"], { answer: "no" });
  expect([no.code, await redis.llen("frontend:ci.example.org")]).toEqual([1, 2]);
  const yes = await corner.run(["app.yml", "unregister_all", "ci.example.org", "--yes"]);
  expect([yes.code, await redis.lrange("frontend:ci.example.org", 0, -1)]).toEqual([0, ["other"]]);
  redis.disconnect();
});

test.concurrent("an application that is not made by dcr: container (O-153)", async () => {
  await using corner = await openDcrCorner();
  const idle = corner.name("idle");
  await corner.write("app.yml", { idle: { container: idle } });
  const missing = await corner.run(["app.yml", "start"]);
  expect([missing.code, missing.output]).toEqual([1, expect.stringContaining(`there is no container ${idle}`)]);
  await corner.docker.createContainer({ name: idle, Image: BASE_IMAGE, Cmd: ["sleep", "600"] });
  expect((await corner.run(["app.yml", "start"])).code).toBe(0);
});
