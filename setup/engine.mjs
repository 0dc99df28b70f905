/**
 * What setup.sh asks of a Docker Engine, in plain HTTP: the docker command may be missing, and so may node_modules.
 * DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY count as they do everywhere.
 */
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";

const LABEL = "docker-ci.base";
const MOST_WAIT_MS = 5_000;

const commands = { look, import: importImage, pull, build, run, rename, registry, certificates };

/** `look <image> <recipe file…>`: prints `<engine> <image> <recipe>`, for example `answers current 3f2c9aa01b7d`. */
async function look(image, ...recipeFiles) {
  const recipe = recipeOf(recipeFiles);
  const engine = await ping();
  let base = "unknown";
  if (engine === "answers") {
    const found = await request("GET", `/images/${image}/json`);
    const label = found.status === 200 ? JSON.parse(await text(found.body)).Config?.Labels?.[LABEL] : undefined;
    base = found.status !== 200 ? "missing" : label === recipe ? "current" : "outdated";
  }
  say(`${engine} ${base} ${recipe}`);
}

/** `answers`; `refused`: it is there and this user may not speak to it; `absent`; `unknown`: reached in a way we do not speak. */
async function ping() {
  if (process.env.DOCKER_HOST?.startsWith("ssh://")) return "unknown";
  try {
    const { status, body } = await request("GET", "/_ping", { timeoutMs: MOST_WAIT_MS });
    await text(body);
    return status === 200 ? "answers" : "absent";
  } catch (error) {
    return error.code === "EACCES" ? "refused" : "absent";
  }
}

/** `import <name:tag> <recipe> [NAME=value…] < tar`: a root file system becomes an image. */
async function importImage(name, recipe, ...env) {
  const changes = [`LABEL ${LABEL}=${recipe}`, 'CMD ["bash"]', ...env.map((pair) => `ENV ${pair}`)];
  const query = new URLSearchParams({ fromSrc: "-", ...split(name) });
  for (const change of changes) query.append("changes", change);
  await progress(await request("POST", `/images/create?${query}`, { body: process.stdin }));
}

/** `pull <name:tag>`. */
async function pull(name) {
  const { repo, tag } = split(name);
  await progress(await request("POST", `/images/create?${new URLSearchParams({ fromImage: repo, tag })}`));
}

/** `build <name:tag> <recipe> < tar`: the tar holds a Dockerfile and its files. */
async function build(name, recipe) {
  const query = new URLSearchParams({ t: name, rm: "1", forcerm: "1", labels: JSON.stringify({ [LABEL]: recipe }) });
  await progress(await request("POST", `/build?${query}`, { body: process.stdin, type: "application/x-tar" }));
}

/** `run <image> <command>`: runs a shell command in a new container, prints what it printed, ends with its status. */
async function run(image, command) {
  const config = { Image: image, Cmd: ["sh", "-e", "-c", command], Tty: true, Labels: { "docker-ci.setup": "1" } };
  const created = await request("POST", "/containers/create", { body: JSON.stringify(config) });
  const { Id: id, message } = JSON.parse(await text(created.body));
  if (created.status !== 201) fail(message);
  try {
    await expect(204, await request("POST", `/containers/${id}/start`));
    const ended = JSON.parse(await text((await request("POST", `/containers/${id}/wait`)).body));
    const log = await request("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
    say((await text(log.body)).trimEnd());
    process.exitCode = ended.StatusCode;
  } finally {
    await request("DELETE", `/containers/${id}?force=1&v=1`);
  }
}

/** `rename <name:tag> <name:tag>`. An older image of the second name loses it. */
async function rename(from, to) {
  await expect(201, await request("POST", `/images/${from}/tag?${new URLSearchParams(split(to))}`));
  await expect(200, await request("DELETE", `/images/${from}?noprune=1`));
}

/** `registry`: status 0 when Docker's registry answers within four seconds. */
async function registry() {
  const answer = await fetch("https://registry-1.docker.io/v2/", { signal: AbortSignal.timeout(4_000) }).catch(
    (error) => fail(`no answer from registry-1.docker.io: ${error.cause?.message ?? error.message}`),
  );
  // 401 is how a registry greets who has not logged in; anything else comes from something in between.
  if (answer.status !== 401 && answer.status !== 200) fail(`registry-1.docker.io answers ${answer.status}`);
}

/** `certificates <folder>`: writes each certificate that this machine trusts beyond Debian's own list. */
function certificates(folder) {
  ownCertificates().forEach((pem, index) => {
    writeFileSync(path.join(folder, `docker-ci-${index + 1}.crt`), `${pem}\n`);
  });
}

/** Images made here must trust what the machine trusts, or nothing works behind a proxy that inspects https. */
function ownCertificates() {
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  const packaged = "/usr/share/ca-certificates";
  if (!existsSync(bundle) || !existsSync(packaged)) return [];
  const known = new Set();
  for (const entry of readdirSync(packaged, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".crt")) continue;
    for (const pem of pems(readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), "utf8"))) known.add(pem);
  }
  const own = pems(readFileSync(bundle, "utf8")).filter((pem) => !known.has(pem));
  // A damaged entry would make update-ca-certificates fail in the image.
  return [...new Set(own)].filter((pem) => isCertificate(pem)).sort();
}

function pems(file) {
  const found = file.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return found.map((pem) => pem.replaceAll("\r", ""));
}

function isCertificate(pem) {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** What an image is made from; another recipe makes another image. */
function recipeOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  for (const pem of ownCertificates()) hash.update(pem);
  return hash.digest("hex").slice(0, 12);
}

function split(name) {
  const colon = name.lastIndexOf(":");
  if (colon < 0 || name.includes("/", colon)) return { repo: name, tag: "latest" };
  return { repo: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** @param body a string (JSON), or a stream. Rejects when nothing listens. */
function request(method, url, { body, type = "application/json", timeoutMs = 0 } = {}) {
  const { promise, resolve, reject } = withResolvers();
  const { client, ...where } = engine();
  const headers = body === undefined ? {} : { "Content-Type": type };
  const sent = client.request({ ...where, method, path: url, headers, agent: false, timeout: timeoutMs }, (answer) =>
    resolve({ status: answer.statusCode, body: answer }),
  );
  sent.on("timeout", () => sent.destroy(new Error(`the engine did not answer within ${timeoutMs} ms`)));
  sent.on("error", reject);
  if (body === undefined || typeof body === "string") sent.end(body);
  else body.pipe(sent);
  return promise;
}

function engine() {
  const host = process.env.DOCKER_HOST || "unix:///var/run/docker.sock";
  if (host.startsWith("unix://")) return { client: http, socketPath: host.slice("unix://".length) };
  if (!host.startsWith("tcp://")) fail(`DOCKER_HOST is ${host}, and setup.sh speaks unix:// and tcp://`);
  const { hostname, port } = new URL(host.replace("tcp:", "http:"));
  const certificates = process.env.DOCKER_CERT_PATH;
  if (!process.env.DOCKER_TLS_VERIFY || !certificates) return { client: http, host: hostname, port: port || 2375 };
  const [ca, cert, key] = ["ca", "cert", "key"].map((name) => readFileSync(path.join(certificates, `${name}.pem`)));
  return { client: https, host: hostname, port: port || 2376, ca, cert, key };
}

/** Reads the engine's stream of JSON to its end; an error in it is an error, whatever the HTTP status was. */
async function progress({ status, body }) {
  const all = await text(body);
  const lines = all.split("\n").filter((line) => line.trim() !== "");
  for (const line of lines) {
    const event = JSON.parse(line);
    if (event.stream) process.stdout.write(event.stream);
    if (event.error || (status >= 400 && event.message)) fail(event.error ?? event.message);
  }
  if (status >= 400) fail(`the engine answers ${status}: ${all}`);
}

async function expect(status, answer) {
  const said = await text(answer.body);
  if (answer.status !== status) fail(`the engine answers ${answer.status}: ${said}`);
}

async function text(stream) {
  stream.setEncoding("utf8");
  let all = "";
  for await (const chunk of stream) all += chunk;
  return all;
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function fail(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

const [name, ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) fail(`engine.mjs: one of ${Object.keys(commands).join(", ")}`);
try {
  await command(...args);
} catch (error) {
  fail(error.message);
}
