/** Trouble that is no fault of what is tested: memory, room, the network, registries. */
import type { Rule } from "../rule.ts";

export const machinery: readonly Rule[] = [
  {
    name: "out of memory, and said so",
    kind: "memory",
    pattern:
      /heap out of memory|java\.lang\.OutOfMemoryError|runtime: out of memory|std::bad_alloc|^MemoryError\b|[Vv]irtual memory exhausted|Cannot allocate memory|out of memory allocating|ENOMEM/,
    weight: 93,
  },
  {
    name: "killed",
    kind: "memory",
    pattern: /(?:^|: )Killed(?: signal terminated program.*)?$|signal: killed/,
    weight: 79,
    before: 2,
  },
  { name: "no room", kind: "disk", pattern: /[Nn]o space left on device|ENOSPC|Disk quota exceeded/, weight: 94 },
  {
    name: "a name that nobody knows",
    kind: "network",
    pattern:
      /Could not resolve (?:host|proxy)|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|Temporary failure (?:in name resolution|resolving)|Name or service not known|nodename nor servname|dial tcp: lookup|: no such host/,
    weight: 89,
  },
  {
    name: "no way there, or no answer",
    kind: "network",
    pattern:
      /Network is unreachable|No route to host|TLS handshake timeout|i\/o timeout|Connection timed out|ETIMEDOUT|ECONNRESET|Connection reset by peer|EHOSTUNREACH|Operation timed out|Read timed out/i,
    weight: 82,
  },
  {
    name: "nobody listens there",
    kind: "network",
    pattern: /Connection refused|ECONNREFUSED|Failed to connect to/i,
    weight: 82,
  },
  {
    name: "a certificate that is not trusted",
    kind: "network",
    pattern:
      /certificate verify failed|self.signed certificate|SELF_SIGNED_CERT|unable to get local issuer|SSL certificate problem|x509: certificate/i,
    weight: 86,
  },
  {
    name: "a server in trouble",
    kind: "network",
    pattern:
      /\b(?:429 Too Many Requests|50[234] (?:Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out))/i,
    weight: 81,
  },
];
