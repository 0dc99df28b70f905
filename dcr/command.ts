/** The command of a container: a list as it is, a text taken apart as a shell would. */

/** Words of a line, with single and double quotes and backslashes; nothing is expanded. `undefined` for an open quote. */
export function splitWords(line: string): string[] | undefined {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== "") {
    let word = "";
    while (rest !== "" && !/^\s/.test(rest)) {
      const [whole, single, double, escaped, plain] =
        /^(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+))/.exec(rest) ?? [];
      if (whole === undefined) return undefined;
      word += single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? plain ?? "";
      rest = rest.slice(whole.length);
    }
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
}

/** `cmd` of the first samples: a single line is the shell's, several words are a command (O-153). */
export function fromCmd(words: readonly string[]): readonly string[] {
  const [line] = words;
  return words.length === 1 && line !== undefined ? ["/bin/sh", "-c", line] : words;
}
