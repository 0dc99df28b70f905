/** Where a Docker Engine listens, and how one gets there: socket, TCP, TLS, ssh. */

export const DAEMON_EXAMPLES =
  "a Docker Engine such as unix:///var/run/docker.sock, tcp://10.0.0.5:2375, https://10.0.0.5:2376, ssh://docker@10.0.0.5 or 10.0.0.5:4243";

export type Endpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls: boolean }
  | ({ readonly kind: "ssh" } & SshDestination & {
        /** The Engine's port on that host; `undefined`: `docker system dial-stdio` there finds its socket. */
        readonly enginePort: number | undefined;
      });

export interface SshDestination {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

/** An address before the cluster's keys have said how it is reached. */
export interface WrittenEndpoint {
  toEndpoint(cluster: { useSsh: boolean | undefined; sshUser: string | undefined; tls: boolean }): Endpoint;
}

const PLAIN = /^(?:http:\/\/)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)(?::(\d{1,5}))?\/?$/;

/**
 * `unix://`, `tcp://`, `https://` and `ssh://` say how they are reached. `host:port`, as the first settings files have it, is
 * reached through ssh unless `use_ssh: false` says otherwise (O-156); with `tls:` it is reached by TLS.
 */
export function parseEndpoint(text: string): WrittenEndpoint | undefined {
  const path = /^unix:\/\/(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return { toEndpoint: () => ({ kind: "unix", path }) };
  const [, plainHost, plainPort] = PLAIN.exec(text) ?? [];
  if (plainHost !== undefined) return plainEndpoint(plainHost.replace(/^\[|\]$/g, ""), plainPort);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(?:\[[0-9a-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*)$/.test(url.hostname)) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? undefined : Number(url.port);
  if (url.pathname.replace("/", "") !== "" || url.password !== "") return undefined;
  if (url.protocol === "ssh:") {
    const user = url.username === "" ? undefined : url.username;
    return {
      toEndpoint: ({ sshUser }) => ({ kind: "ssh", host, user: user ?? sshUser, port, enginePort: undefined }),
    };
  }
  if (url.username !== "" || (url.protocol !== "tcp:" && url.protocol !== "https:")) return undefined;
  const isTls = url.protocol === "https:" || port === 2376;
  return {
    toEndpoint: ({ tls }) => tcp(host, port, tls || isTls),
  };
}

function plainEndpoint(host: string, written: string | undefined): WrittenEndpoint {
  const port = written === undefined ? undefined : Number(written);
  return {
    toEndpoint: ({ useSsh, sshUser, tls }) =>
      (useSsh ?? !tls)
        ? { kind: "ssh", host, user: sshUser, port: undefined, enginePort: port }
        : tcp(host, port, tls || port === 2376),
  };
}

function tcp(host: string, port: number | undefined, tls: boolean): Endpoint {
  return { kind: "tcp", host, port: port ?? (tls ? 2376 : 2375), tls };
}
