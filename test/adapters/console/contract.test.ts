/** The terminal, as a pipe, passes what every chat has to. */
import { PassThrough } from "node:stream";
import { openConsole, TERMINAL } from "../../../adapters/console/index.ts";
import { chatContract } from "../../contract/chat.ts";

chatContract(
  "The terminal",
  async () => {
    const input = new PassThrough();
    const output = new PassThrough();
    let written = "";
    output.on("data", (data: Buffer) => {
      written += data.toString();
    });
    const chat = await openConsole({
      input,
      output,
      colours: false,
      historyFile: undefined,
      complete: () => [],
      interrupted: () => undefined,
    });
    chat.listen();
    return {
      chat,
      room: TERMINAL,
      said: () => written.split("\n"),
      speak: (text) => void input.write(`${text}\n`),
      async [Symbol.asyncDispose]() {
        await chat[Symbol.asyncDispose]();
      },
    };
  },
  "whoever has the process has the terminal",
);
