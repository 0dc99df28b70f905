/**
 * Encryption of archives with a passphrase, as age does it (https://age-encryption.org/v1): `age -d` opens one by hand. It was
 * chosen over OpenPGP because it seals every 64 KiB: what was changed is refused before it is handed on, while it streams, where
 * OpenPGP that others can read has to be held whole to be checked.
 */
import { RuntimeError } from "../errors.ts";

const MAGIC = "age-encryption.org/v1";
/** 32 MiB for a second's fraction: age's own default takes 256 MiB, and a passphrase in a file can be long. */
const SCRYPT_LOG_N = 15;

export async function* encrypt(
  source: AsyncIterable<Uint8Array>,
  passphrase: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(SCRYPT_LOG_N);
  yield* read(await encrypter.encrypt(toStream(source)));
}

/** What is not encrypted is passed on as it is. @throws RuntimeError without the passphrase, or with another. */
export async function* decryptIfNeeded(
  source: AsyncIterable<Uint8Array>,
  passphrase: string | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const whole = resumed(first.value, iterator);
  if (Buffer.from(first.value.subarray(0, MAGIC.length)).toString("latin1") !== MAGIC) {
    yield* whole;
    return;
  }
  if (passphrase === undefined) {
    throw new RuntimeError("it is encrypted, and backup.passphrase is not set", { retryable: false });
  }
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  let opened: ReadableStream<Uint8Array>;
  try {
    opened = await decrypter.decrypt(toStream(whole));
  } catch (cause) {
    throw new RuntimeError("it does not open with backup.passphrase", { cause, retryable: false });
  }
  try {
    yield* read(opened);
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    throw new RuntimeError("it was changed or cut since it was made", { cause, retryable: false });
  }
}

async function* resumed(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function toStream(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) controller.close();
      // A copy: what comes may be a part of a buffer that is used again.
      else controller.enqueue(new Uint8Array(next.value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

async function* read(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined /* it failed already, which the reader was told */);
  }
}
