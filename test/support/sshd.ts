/** A real sshd on loopback, and the home folder of somebody whose key it knows. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { answers, freePort } from "./loopback.ts";
import { waitFor } from "./wait-for.ts";

const run = promisify(execFile);

export interface Sshd extends AsyncDisposable {
  /** `ssh://root@127.0.0.1:2222`; a path follows. */
  readonly address: string;
  /** Has `.ssh` with a key, and with the server's own among the known hosts. */
  readonly home: string;
}

export async function openSshd(): Promise<Sshd> {
  const home = await mkdtemp(join(tmpdir(), "docker-ci-ssh-"));
  const folder = join(home, ".ssh");
  await mkdir(folder, { mode: 0o700 });
  for (const name of ["id_ed25519", "host"])
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  const port = await freePort();
  await writeFile(
    join(folder, "known_hosts"),
    `[127.0.0.1]:${port} ${await readFile(join(folder, "host.pub"), "utf8")}`,
  );
  // Where sshd's unprivileged part is locked in; Debian's service makes it, and no service runs here.
  await mkdir("/run/sshd", { recursive: true });
  const options = [
    "ListenAddress=127.0.0.1",
    `HostKey=${join(folder, "host")}`,
    `AuthorizedKeysFile=${join(folder, "id_ed25519.pub")}`,
    "StrictModes=no",
    "PidFile=none",
    "UsePAM=no",
    "PermitRootLogin=prohibit-password",
  ].flatMap((option) => ["-o", option]);
  const sshd = spawn("/usr/sbin/sshd", ["-D", "-f", "/dev/null", "-p", `${port}`, ...options], { stdio: "ignore" });
  await waitFor("sshd to answer", () => answers(port));
  return {
    address: `ssh://${userInfo().username}@127.0.0.1:${port}`,
    home,
    async [Symbol.asyncDispose]() {
      const ended = once(sshd, "exit");
      sshd.kill();
      await ended;
      await rm(home, { recursive: true });
    },
  };
}
