/** A folder with application and settings files, containers under names of its own, and `dcr` as a person would call it. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import Docker from "dockerode";
import { stringify } from "yaml";
import { dcr } from "../../dcr/command-line.ts";
import { BASE_IMAGE } from "../support/docker.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
  /** Both. */
  readonly all: string;
}

export interface DcrCorner extends AsyncDisposable {
  readonly folder: string;
  readonly docker: Docker;
  /** A container's name that no other test has. */
  name(what: string): string;
  write(file: string, content: object | string): Promise<void>;
  run(words: readonly string[], how?: Partial<RunOptions>): Promise<Ran>;
}

interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly answer: string;
  readonly signal: AbortSignal;
  readonly cwd: string;
  readonly onOutput: (text: string) => void;
  /** Whether progress is drawn in place. */
  readonly isTerminal: boolean;
}

export const LOCAL = "unix:///var/run/docker.sock";

/** `settings.yml` with the local Engine as its only host is there already. */
export async function openDcrCorner(): Promise<DcrCorner> {
  const id = `dcrtest-${randomBytes(4).toString("hex")}`;
  const folder = await temporaryFolder();
  const docker = new Docker({ socketPath: "/var/run/docker.sock" });
  const corner: DcrCorner = {
    folder: folder.path,
    docker,
    name: (what) => `${id}-${what}`,
    write: (file, content) =>
      writeFile(join(folder.path, file), typeof content === "string" ? content : stringify(content)),
    run: (words, how) => run(words, { cwd: folder.path, ...how }),
    async [Symbol.asyncDispose]() {
      // Those that a failed test has left too.
      const containers = await docker.listContainers({ all: true, filters: { name: [id] } });
      await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
      const networks = await docker.listNetworks({ filters: { name: [id] } });
      await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
      await folder[Symbol.asyncDispose]();
    },
  };
  await corner.write("settings.yml", { default: { daemons: [LOCAL] } });
  return corner;
}

async function run(
  words: readonly string[],
  {
    env = {},
    answer,
    signal = new AbortController().signal,
    cwd,
    onOutput,
    isTerminal = false,
  }: Partial<RunOptions> & { cwd: string },
): Promise<Ran> {
  const said = { output: "", errors: "", all: "" };
  const sink = (kind: "output" | "errors") =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        said[kind] += text;
        said.all += text;
        if (kind === "output") onOutput?.(text);
        done();
      },
    });
  const ask =
    answer === undefined
      ? undefined
      : async (question: string) => {
          said.all += question;
          return answer;
        };
  const errors = Object.assign(sink("errors"), { isTTY: isTerminal });
  const code = await dcr(words, { cwd, environment: env, output: sink("output"), errors, ask, signal });
  return { code, ...said };
}

/** An application that answers every request with `text`; `broken` after `/break` was asked for. */
export function webApplication(release: string, text: string, changes: object = {}): object {
  const program = `
let broken = false;
require("node:http").createServer((request, response) => {
  if (request.url === "/break") broken = true;
  if (broken) response.statusCode = 500;
  response.end(${JSON.stringify(text)});
}).listen(8000);
process.on("SIGTERM", () => process.exit(0));
console.log("listening", process.env.GREETING ?? "");`;
  return {
    image: BASE_IMAGE,
    command: ["node", "-e", program],
    ports: ["127.0.0.1::8000"],
    register: 8000,
    release_name: release,
    ...changes,
  };
}

/** One that does nothing but run. */
export function idleApplication(release: string, changes: object = {}): object {
  return { image: BASE_IMAGE, command: ["sleep", "600"], init: true, release_name: release, ...changes };
}
