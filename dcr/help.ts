/** What `dcr` says of itself. */
import { VERSION } from "../src/package.ts";
import type { OptionName } from "./options.ts";
import { COMMON } from "./options.ts";
import type { Verb } from "./verbs/verb.ts";

const OPTIONS: Readonly<Record<OptionName, readonly [string, string]>> = {
  settings: ["--settings FILE", "the hosts and gateways; else settings.yml here, or beside the application file"],
  cluster: ["--cluster NAME", "which cluster of the settings; else default, or the only one"],
  only: ["--only NAME", "this application of the file; may be said several times"],
  yes: ["-y, --yes", "do not ask"],
  json: ["--json", "the same as JSON"],
  follow: ["-f, --follow", "go on with what comes, until Ctrl-C"],
  tail: ["--tail N", "the last N lines of each (100)"],
  recreate: [
    "--recreate",
    "replace containers that were made with other settings; the old one comes back when it fails",
  ],
  watch: ["--watch TIME", "how long the new release is watched after the switch (5s)"],
  force: ["--force", "whether or not they answer"],
  image: ["--image IMAGE", "an image with a shell to run instead of the application's own"],
  help: ["-h, --help", "this text; behind a verb, what it does"],
  version: ["--version", "which version this is"],
};

export function usage(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map((verb) => synopsis(verb).length));
  return `dcr ${VERSION}, the docker-container-runner: runs the containers of an application file on every host of a cluster

  dcr FILE.yml VERB [DOMAIN] [OPTIONS]

${verbs.map((verb) => `  ${synopsis(verb).padEnd(width)}  ${wrap(verb.summary, width + 4)}`).join("\n")}

${optionLines(COMMON)}

Without DOMAIN it is the release's name and the cluster's base_domain: docker-ci-1.example.org.
Exit codes: 0 all well, 1 something failed, 64 the command line, 78 a file or the environment, 130 interrupted.
`;
}

export function usageOf(verb: Verb): string {
  return `dcr FILE.yml ${synopsis(verb)} [OPTIONS]\n\n  ${wrap(verb.summary, 2)}\n\n${optionLines([...verb.options, ...COMMON])}\n`;
}

function synopsis({ name, takesDomain }: Verb): string {
  return takesDomain === "never" ? name : takesDomain === "required" ? `${name} DOMAIN` : `${name} [DOMAIN]`;
}

function optionLines(names: readonly OptionName[]): string {
  const lines = names.map((name) => OPTIONS[name]);
  const width = Math.max(...lines.map(([option]) => option.length));
  return lines.map(([option, text]) => `  ${option.padEnd(width)}  ${wrap(text, width + 4)}`).join("\n");
}

const LINE_WIDTH = 120;

function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || indent + last.length + word.length >= LINE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}
