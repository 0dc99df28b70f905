/**
 * As much of Protocol Buffers' wire format as BuildKit's progress takes: a message is a list of numbered fields, each a
 * varint or a run of bytes (https://protobuf.dev/programming-guides/encoding/). dockerode has a decoder of its own, but
 * gives out only text that it has trimmed and joined.
 */

/** A field of a message: its number, and its value. Numbers of a fixed width are passed over. */
export interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** @throws RangeError when the bytes end inside a field. */
export function* readFields(bytes: Uint8Array): Generator<Field, void> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    // Above 2^53 a number loses its last digits, and none of those that are read comes near.
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at];
      if (byte === undefined) throw new RangeError("a protobuf message ends inside a number");
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError("a protobuf message ends inside a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        take(8);
        break;
      case 2:
        yield { number, value: take(varint()) };
        break;
      case 5:
        take(4);
        break;
      default:
        throw new RangeError(`a protobuf message has a field of unknown kind ${key % 8}`);
    }
  }
}
