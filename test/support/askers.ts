/** People who ask a page again and again, several at a time, and note what they get. */
import { Agent, request } from "node:http";

export interface Askers {
  /** What was answered so far, in order; what is not a 200 by its status or error. */
  readonly answers: string[];
  /** Resolves when every question is answered; none follows. */
  stop(): Promise<void>;
}

/** @param host the name in the Host header. @param paths one for each who asks. */
export function openAskers(
  port: number,
  { host, paths = ["/", "/", "/", "/"] }: { readonly host: string; readonly paths?: readonly string[] },
): Askers {
  const agent = new Agent({ keepAlive: false });
  const answers: string[] = [];
  let isAsking = true;
  const ask = (path: string) =>
    new Promise<string>((answer) => {
      const asked = request({ port, host: "127.0.0.1", path, agent, headers: { host } }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => answer(response.statusCode === 200 ? text : `status ${response.statusCode}`));
        response.once("error", (error) => answer(error.message));
      });
      asked.once("error", (error) => answer(error.message));
      asked.end();
    });
  const loops = Promise.all(
    paths.map(async (path) => {
      while (isAsking) answers.push(await ask(path));
    }),
  );
  return {
    answers,
    async stop() {
      isAsking = false;
      await loops;
      agent.destroy();
    },
  };
}
