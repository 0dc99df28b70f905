/** The files of a repository that some lines of a log name. */

const FILES_MOST = 20;
const EXTENSIONS =
  "go|[cm]?[jt]sx?|py|pyx|c|cc|cpp|cxx|h|hh|hpp|rs|java|kt|scala|rb|php|sh|bash|swift|cs|vue|svelte|s?css|html|ya?ml|json|toml|sql|proto|lua|p[lm]|exs?|hs|cmake|ini|cfg|txt|md|mod|sum|lock";
const PATH = new RegExp(
  String.raw`(?<![\w/.:@-])(?:\.{0,2}/)?(?:[\w@.+-]+/){0,30}(?:[\w@+.-]{1,100}\.(?:${EXTENSIONS})|Makefile|Dockerfile)(?![\w/-])`,
  "g",
);
/** What a tool brought with it, and addresses. */
const FOREIGN =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor)\/|^\/?(?:usr|lib|opt|proc|dev|etc|var|tmp|root\/go\/pkg|go\/pkg)\/|^node:|^Node\.js$|^_testmain\.go$|\w\.\.|^\/\/|^(?:https?|ftp):/;

/** As they are named, without `./` and `/` in front, each once. */
export function filesNamedIn(lines: readonly string[]): string[] {
  const found = new Set<string>();
  for (const line of lines) {
    // An address has a host that looks like a file (`example.js`), and is none.
    const text = line.slice(0, 1_000).replace(/\b[a-z]+:\/\/\S+/g, "");
    for (const [path] of text.matchAll(PATH)) {
      if (!FOREIGN.test(path)) found.add(path.replace(/^(?:\.{0,2}\/)+/, ""));
      if (found.size === FILES_MOST) return [...found];
    }
  }
  return [...found];
}
