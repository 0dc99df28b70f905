/** A few shell lines on a host, in a container that is gone afterwards: a look at its folders, or new ones. */
import { parseFrames } from "../adapters/docker/frames.ts";
import { Refusal } from "../adapters/docker/refusal.ts";
import { plainText } from "../src/builds/plain-text.ts";
import { RuntimeError } from "../src/errors.ts";
import type { Daemon } from "./daemon.ts";

export interface OnceSpec {
  readonly image: string;
  /** Run by `sh -e` as root, without a network. */
  readonly script: string;
  /** `$1` and so on. */
  readonly args: readonly string[];
  /** Folders of the host and where they are seen; missing ones are made. */
  readonly binds: readonly (readonly [string, string])[];
}

/** What it printed. @throws RuntimeError when the image is not there or the script fails, with its last words. */
export async function runOnce({ engine }: Daemon, { image, script, args, binds }: OnceSpec): Promise<string> {
  const { id } = await engine
    .ask((docker) =>
      docker.createContainer({
        Image: image,
        Entrypoint: ["/bin/sh", "-ec", script, "sh", ...args],
        User: "0:0",
        Labels: { "dcr.once": "" },
        HostConfig: {
          NetworkMode: "none",
          Binds: binds.map(([host, container]) => `${host}:${container}`),
          LogConfig: { Type: "local", Config: {} },
        },
      }),
    )
    .catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 404) {
        throw new RuntimeError(`there is no image ${image} on this host; build or pull it first`, { cause: error });
      }
      throw error;
    });
  try {
    await engine.ask((docker) => docker.getContainer(id).start());
    const { StatusCode } = await engine.ask(
      (docker): Promise<{ StatusCode: number }> => docker.getContainer(id).wait(),
    );
    const log = await engine.ask((docker) =>
      docker.getContainer(id).logs({ stdout: true, stderr: true, follow: false }),
    );
    const output = Buffer.concat(parseFrames(log).frames.map(({ bytes }) => Buffer.from(bytes))).toString("utf8");
    if (StatusCode !== 0) {
      const said = output
        .split("\n")
        .map(plainText)
        .findLast((line) => line.trim() !== "");
      throw new RuntimeError(said ?? `a look at the host failed with exit code ${StatusCode}`);
    }
    return output;
  } finally {
    await engine.ask((docker) => docker.getContainer(id).remove({ force: true, v: true }));
  }
}
