/** Who a mail is for, what it is called and what it belongs to: everything in its header besides the subject. */
import { createHash } from "node:crypto";
import type { SendMailOptions } from "nodemailer";
import type { Outgoing } from "../../src/chat/chat.ts";
import { roomKey } from "../../src/chat/message.ts";
import { oneLine } from "./text.ts";

/** The parts of `ops@example.org` or `Ops <ops@example.org>`, so that nothing in them is read as a list of addresses. */
export function mailbox(written: string): { name: string; address: string } {
  const [, name = "", address = written] = /^([^<>]*)<([^<>]*)>$/.exec(written.trim()) ?? [];
  return { name: oneLine(name).replaceAll('"', ""), address: oneLine(address) };
}

/**
 * The header of a mail. Its name (Message-ID) is made of the delivery's, of what it says and to whom, so that one which is sent
 * again after a lost answer is the same mail, which mail programs show once. All mails of one topic answer a first one that was
 * never sent, which puts them into one thread whichever of them comes first (RFC 5322, 3.6.4, allows such references).
 * @param url where the pages are; its host stands in names.
 */
export function headerOf({ room, reply, id }: Outgoing, from: string, url: string): SendMailOptions {
  const host = hostOf(url);
  const content = createHash("sha256")
    .update(JSON.stringify([roomKey(room), id, reply]))
    .digest("hex")
    .slice(0, 32);
  const topic = reply.topic ?? reply.key;
  const root = topic === undefined ? undefined : `<${nameOf(topic)}@${host}>`;
  return {
    from: mailbox(from),
    to: mailbox(room.name),
    messageId: `<${content}@${host}>`,
    ...(root === undefined ? {} : { inReplyTo: root, references: root }),
    headers: {
      // RFC 2919, and RFC 3834: filters find it, and nobody's out-of-office answers it.
      "List-Id": { prepared: true, value: `docker-ci <docker-ci.${host}>` },
      "Auto-Submitted": "auto-generated",
    },
  };
}

/** `ci.example.org`; what may not stand in a name (RFC 5322, 3.2.3), as in an IPv6 address, is a dash. */
function hostOf(url: string): string {
  const { hostname } = new URL(url);
  return hostname.replace(/[^a-z0-9.-]+/gi, "-").replace(/^[-.]+|[-.]+$/g, "") || "localhost";
}

/** A topic as the left side of a name. Two that become alike here are told apart by a digest. */
function nameOf(topic: string): string {
  const plain = topic.replace(/[^a-z0-9_-]+/gi, "-").slice(0, 60);
  if (plain === topic) return topic;
  return `${plain}-${createHash("sha256").update(topic).digest("hex").slice(0, 8)}`;
}
