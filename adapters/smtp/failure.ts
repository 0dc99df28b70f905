/** What an error of nodemailer means for the mail and for those behind it. The one place that knows its codes. */
import { z } from "zod";
import { describeError, RuntimeError } from "../../src/errors.ts";
import { cut, oneLine } from "./text.ts";

const REPLY_LENGTH = 200;

const Thrown = z.object({
  message: z.string().catch(""),
  code: z.string().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
  response: z.string().optional().catch(undefined),
  responseCode: z.number().optional().catch(undefined),
});

export interface SmtpFailure {
  /**
   * - `away`: the server, or the way to it, does not work now; nothing else would get through either.
   * - `unwelcome`: it works and refuses our login or our sender; only a person can change that.
   * - `later`: it wants this mail later (greylisting, a full mailbox: 4xx).
   * - `refused`: it will never take this mail for this recipient (5xx).
   */
  readonly kind: "away" | "unwelcome" | "later" | "refused";
  /** One sentence for people. */
  readonly sentence: string;
}

/** @param server `smtp.example.org:587`. @param recipient undefined when no mail was at stake. */
export function readFailure(error: unknown, server: string, recipient?: string): SmtpFailure {
  if (error instanceof RuntimeError) return { kind: "away", sentence: error.message };
  const { message, code, command, response, responseCode = 0 } = Thrown.parse(error instanceof Error ? error : {});
  const said = cut(oneLine(response ?? (message === "" ? describeError(error) : message)), REPLY_LENGTH);
  if (code === "EAUTH" || code === "ENOAUTH")
    return { kind: "unwelcome", sentence: `${server} refuses the login (${said})` };
  if (code === "ETLS")
    return { kind: "away", sentence: `${server} cannot be talked to in private (${said}); see mail.tls` };
  const ofMail = code === "EENVELOPE" || code === "EMESSAGE";
  // 421: the server is closing (RFC 5321, 3.8), whatever it was asked.
  if (!ofMail || responseCode === 421) return { kind: "away", sentence: `${server} does not take mail now (${said})` };
  const refusedSender = command === "MAIL FROM" && responseCode >= 500;
  if (refusedSender) return { kind: "unwelcome", sentence: `${server} refuses the sender in mail.from (${said})` };
  if (responseCode >= 400 && responseCode < 500) {
    return { kind: "later", sentence: `${server} takes mail for ${recipient ?? "anybody"} later (${said})` };
  }
  return { kind: "refused", sentence: `${server} refuses mail for ${recipient ?? "anybody"} (${said})` };
}
