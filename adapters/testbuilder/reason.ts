/** git says only in prose why a repository cannot be read; matched here, each time beside the message it is made for. */

const REASONS: readonly (readonly [pattern: RegExp, reason: string | ((match: RegExpExecArray) => string)])[] = [
  // no answer within 60 s (the testbuilder's own)
  [/no answer within .*/, ([text]) => text],
  // fatal: cannot change to '/srv/git/x': No such file or directory
  [/cannot change to '.*': No such file or directory/, "there is nothing at that path"],
  [/cannot change to '.*': (.*)/, ([, why = ""]) => why.toLowerCase()],
  // fatal: not a git repository (or any of the parent directories): .git
  [/not a git repository/, "it is not a git repository"],
  // Could not resolve host: nope.invalid; ssh: Could not resolve hostname nope.invalid: Name or service not known;
  // fatal: unable to look up nope.invalid (port 9418)
  [/Could not resolve host(?:name)?:? ([^\s:]+)/i, ([, host]) => `could not resolve host ${host}`],
  [/unable to look up (\S+)/, ([, host]) => `could not resolve host ${host}`],
  // Host key verification failed.
  [/Host key verification failed/, "its host key is not in ~/.ssh/known_hosts"],
  // git@github.com: Permission denied (publickey).
  [/Permission denied \([^)]*\)/, "it does not accept our ssh key"],
  // fatal: could not read Username for 'https://github.com': terminal prompts disabled
  [/could not read (Username|Password)/, "it does not exist, or takes a user and a password"],
  // fatal: Authentication failed for 'https://…'
  [/Authentication failed|error: 401/, "it does not accept the user and the password"],
  // The requested URL returned error: 503
  [/requested URL returned error: (\d+)/, ([, status]) => `it answers HTTP ${status}`],
  // fatal: repository 'https://…/' not found; remote: Repository not found.; access denied or repository not exported: /x
  [
    /repository '.*' not found|Repository not found|repository not exported|does not appear to be a git repository/,
    "there is no such repository",
  ],
  // Failed to connect to localhost port 1 after 0 ms: Connection refused; errno=Connection refused
  [/Connection refused|Couldn't connect to server|Could not connect to server/, "connection refused"],
  [/Connection timed out|Timeout was reached|Operation timed out/, "connection timed out"],
  [/Operation too slow|less than \d+ bytes\/sec/, "it went silent"],
  [/No route to host|Network is unreachable/, "no route to host"],
  [/SSL certificate problem: (.*)|server certificate verification failed/, "its certificate is not trusted"],
  // fatal: transport 'ext' not allowed; git: 'remote-foo' is not a git command
  [/transport '(.*)' not allowed/, ([, name]) => `${name} is not allowed as a transport`],
  [/it has no commit \S+/, ([text]) => text],
];

/** git's reason in short, without a newline or a credential. */
export function shortReason(stderr: string): string {
  for (const [pattern, reason] of REASONS) {
    const match = pattern.exec(stderr);
    if (match !== null) return withoutCredentials(typeof reason === "string" ? reason : reason(match));
  }
  const lines = stderr.split("\n").map((line) => line.trim());
  const telling = lines.find((line) => /^(fatal|error): /.test(line)) ?? lines.findLast((line) => line !== "");
  return withoutCredentials((telling ?? "git gave no reason").replace(/^(fatal|error): /, "")).slice(0, 200);
}

function withoutCredentials(text: string): string {
  return text.replace(/:\/\/[^/@\s]+@/g, "://");
}
