/** `dcr FILE logs`. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { quiet } from "../../adapters/docker/engine.ts";
import { readFrames } from "../../adapters/docker/frames.ts";
import { plainText } from "../../src/builds/plain-text.ts";
import { inspect } from "../container.ts";
import type { Daemon } from "../daemon.ts";
import { OUTCOME_HEADERS, onEveryHost, type Session } from "../session.ts";
import { tell, type Verb } from "./verb.ts";

const DEFAULT_TAIL = 100;

export const logs: Verb = {
  name: "logs",
  summary: "the last lines of each container (--tail, 100); -f goes on with what comes",
  takesDomain: "never",
  options: ["follow", "tail"],
  usesGateways: false,
  async run(session) {
    const { applications, daemons } = session;
    const isOne = applications.length * daemons.length === 1;
    const each = (daemon: Daemon, container: string) =>
      print(session, daemon, container, isOne ? "" : `${daemon.name} ${container} | `);
    const rows = session.options.follow
      ? (
          await Promise.all(
            // What is followed does not end: all at once.
            applications.map((application) =>
              onEveryHost({ daemons, applications: [application] }, (daemon, { container }) => each(daemon, container)),
            ),
          )
        ).flat()
      : await onEveryHost(session, (daemon, { container }) => each(daemon, container));
    return tell(
      session,
      OUTCOME_HEADERS,
      rows.filter(({ failed }) => failed),
    );
  },
};

async function print(session: Session, daemon: Daemon, container: string, prefix: string) {
  const info = await inspect(daemon, container);
  if (info === undefined) return { result: "failed: doesnotexist", failed: true };
  const { follow, tail = DEFAULT_TAIL } = session.options;
  const options = { stdout: true, stderr: true, tail } as const;
  const write = async (line: string) => {
    if (!session.output.write(`${prefix}${plainText(line)}\n`)) await once(session.output, "drain");
  };
  try {
    const log = await daemon.engine.ask<Buffer | NodeJS.ReadableStream>((docker) =>
      follow
        ? docker.getContainer(container).logs({ ...options, follow: true, abortSignal: session.signal })
        : docker.getContainer(container).logs({ ...options, follow: false }),
    );
    const source = Buffer.isBuffer(log) ? Readable.from([log]) : quiet(log);
    for await (const line of lines(info.Config.Tty ? unframed(source) : readFrames(source))) await write(line);
  } catch (error) {
    // Ctrl-C is how one leaves a log that is followed.
    if (!session.signal.aborted) throw error;
  }
  return { result: "" };
}

async function* unframed(source: AsyncIterable<Uint8Array>) {
  for await (const bytes of source) yield [{ stream: "stdout", bytes }] as const;
}

/** Whole lines; the two streams do not break into each other's. */
async function* lines(source: AsyncIterable<readonly { readonly stream: string; readonly bytes: Uint8Array }[]>) {
  const open = new Map<string, { decoder: StringDecoder; rest: string }>();
  for await (const frames of source) {
    for (const { stream, bytes } of frames) {
      const state = open.get(stream) ?? { decoder: new StringDecoder(), rest: "" };
      open.set(stream, state);
      const whole = (state.rest + state.decoder.write(Buffer.from(bytes))).split("\n");
      state.rest = whole.pop() ?? "";
      yield* whole;
    }
  }
  for (const { rest } of open.values()) if (rest !== "") yield rest;
}
