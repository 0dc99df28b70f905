/** Whether the mail server would take a mail now: connects, encrypts, logs in and says goodbye. */
import type { SMTPPoolOptions } from "nodemailer";

/**
 * nodemailer's own `verify` cannot be stopped, and would keep a process alive that is to end while a server says nothing.
 * @throws what nodemailer says is wrong, or the signal's reason.
 */
export async function probeServer({ auth, ...options }: SMTPPoolOptions, signal: AbortSignal): Promise<void> {
  const { default: SMTPConnection } = await import("nodemailer/lib/smtp-connection");
  signal.throwIfAborted();
  const connection = new SMTPConnection(options);
  const stop = (): void => connection.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once("error", reject);
      connection.once("end", () => reject(signal.aborted ? signal.reason : new Error("the connection was closed")));
      connection.connect((error) => {
        if (error) reject(error);
        else if (auth === undefined) resolve();
        else connection.login(auth, (refusal) => (refusal ? reject(refusal) : resolve()));
      });
    });
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
