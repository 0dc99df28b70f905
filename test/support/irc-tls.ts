/** A private certificate authority and a server certificate for 127.0.0.1, or other addresses, made with openssl in about 50 ms. */
import { execFile } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Writes key and certificate into `folder`; `ca` is the authority's certificate as PEM text. */
export async function makeCertificate(
  folder: string,
  addresses: readonly string[] = ["127.0.0.1"],
): Promise<{ ca: string; certFile: string; keyFile: string }> {
  const path = (name: string): string => join(folder, name);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const ca = ["-x509", "-days", "2", "-subj", "/CN=test authority", "-keyout", path("ca.key"), "-out", path("ca.pem")];
  await run("openssl", ["req", ...key, ...ca]);
  const request = ["-subj", "/CN=127.0.0.1", "-keyout", path("server.key"), "-out", path("server.csr")];
  await run("openssl", ["req", ...key, ...request]);
  await writeFile(path("server.ext"), `subjectAltName=${addresses.map((address) => `IP:${address}`).join(",")}\n`);
  const signer = ["-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-extfile", path("server.ext")];
  await run("openssl", [
    "x509",
    "-req",
    "-in",
    path("server.csr"),
    "-days",
    "2",
    ...signer,
    "-out",
    path("server.pem"),
  ]);
  // The server has given up root before it reads them.
  await chmod(folder, 0o755);
  await chmod(path("server.key"), 0o644);
  return { ca: await readFile(path("ca.pem"), "utf8"), certFile: path("server.pem"), keyFile: path("server.key") };
}
