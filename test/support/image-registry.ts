/** A registry with one image, for those who know the password or for all; on loopback, where the Engine takes plain HTTP. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { readAll, tarOf } from "./docker.ts";
import { portOf } from "./loopback.ts";

export interface ImageRegistry extends AsyncDisposable {
  /** `127.0.0.1:5000/team/tiny`. */
  readonly image: string;
  readonly digest: string;
}

const TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** Its layer is so large, and goes out in pieces with a rest behind each. */
export interface SlowLayer {
  readonly bytes: number;
  readonly pieceBytes: number;
  readonly restMs: number;
}

/** @param login `ada:password`; undefined lets everybody in. */
export async function openImageRegistry(login: string | undefined, slow?: SlowLayer): Promise<ImageRegistry> {
  const tar = await readAll(tarOf({ "tiny.txt": randomBytes(slow?.bytes ?? 300_000).toString("hex") }));
  const layer = gzipSync(tar);
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Cmd: ["/tiny"] },
      rootfs: { type: "layers", diff_ids: [digestOf(tar)] },
      history: [{ created: "2026-01-01T00:00:00Z" }],
    }),
  );
  const describe = (mediaType: string, blob: Buffer) => ({ mediaType, size: blob.length, digest: digestOf(blob) });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: TYPE,
      config: describe("application/vnd.docker.container.image.v1+json", config),
      layers: [describe("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
    }),
  );
  const blobs = new Map([layer, config].map((blob) => [digestOf(blob), blob]));
  const expected = login && `Basic ${Buffer.from(login).toString("base64")}`;
  const server = createServer((request, response) => {
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"', "content-type": "application/json" });
      response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] }));
      return;
    }
    const [, kind, reference = ""] = /\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? "") ?? [];
    const found = kind === "manifests" ? manifest : blobs.get(reference);
    if (request.url === "/v2/") response.end("{}");
    else if (found === undefined) response.writeHead(404).end("{}");
    else {
      const type = kind === "manifests" ? TYPE : "application/octet-stream";
      const headers = {
        "content-type": type,
        "content-length": found.length,
        "docker-content-digest": digestOf(found),
      };
      response.writeHead(200, headers);
      if (request.method === "HEAD") response.end();
      else if (found === layer && slow !== undefined) Readable.from(inPieces(layer, slow)).pipe(response);
      else response.end(found);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    image: `127.0.0.1:${portOf(server)}/team/tiny`,
    digest: digestOf(manifest),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function* inPieces(bytes: Buffer, { pieceBytes, restMs }: SlowLayer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    yield bytes.subarray(at, at + pieceBytes);
    await sleep(restMs);
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
