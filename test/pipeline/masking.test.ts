/** Masking: no form of a secret comes out, wherever it is cut, and nothing else is kept waiting. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMask, type MaskStream, tooShort } from "../../src/pipeline/masking.ts";
import { secretForms } from "../../src/pipeline/secret-forms.ts";

const SECRET = "s3cr3t/Wörd+& <x>\"1'";
const KEY = "-----BEGIN KEY-----\n  c2Vjb25kIGxpbmU\nab\nthird=line\n-----END KEY-----\n";

/** What comes out of a stream that is given these pieces. */
function masked(stream: MaskStream, pieces: readonly Uint8Array[]): string {
  return Buffer.concat([...pieces.map((piece) => stream.push(piece)), stream.end()]).toString("utf8");
}

/** A text cut into pieces, at bytes. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const borders = [0, ...at.map((border) => border % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return borders.slice(1).map((border, index) => bytes.subarray(borders[index], border));
}

describe("the forms of a secret", () => {
  test.each([
    ["as it is", SECRET],
    ["URL-encoded", encodeURIComponent(SECRET)],
    ["URL-encoded with small letters", encodeURIComponent(SECRET).replace(/%../g, (code) => code.toLowerCase())],
    ["in a form", new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
    ["in Python's JSON", JSON.stringify(SECRET).slice(1, -1).replace("ö", "\\u00f6")],
    ["in Go's JSON", '"s3cr3t/Wörd+\\u0026 \\u003cx\\u003e\\"1\''.slice(1)],
    ["in base64", Buffer.from(SECRET).toString("base64")],
    ["in base64 for URLs", Buffer.from(SECRET).toString("base64url")],
  ])("%s", (_name, text) => {
    expect(createMask([SECRET]).text(`<${text}>`)).toBe("<***>");
  });

  test.each([0, 1, 2, 3, 4])(
    "in base64 with %i bytes before it, all but what it shares with its neighbours",
    (before) => {
      for (const after of ["", "x", "xy"]) {
        const text = Buffer.from(`${"u".repeat(before)}${SECRET}${after}`);
        for (const alphabet of ["base64", "base64url"] as const) {
          const out = createMask([SECRET]).text(text.toString(alphabet));
          expect(out).toContain("***");
          expect(out.replace("***", "").length).toBeLessThanOrEqual(before + 1 + after.length + 4);
        }
      }
    },
  );

  test("wrapped base64, line by line", () => {
    const secret = Array.from({ length: 40 }, (_, index) => `word${index * 7919}`).join(" ");
    const wrapped =
      Buffer.from(secret)
        .toString("base64")
        .match(/.{1,76}/g) ?? [];
    expect(wrapped.length).toBeGreaterThan(3);
    expect(createMask([secret]).text(wrapped.join("\n"))).toMatch(/^(\*\*\*\n)+(\*\*\*|.{0,7})$/);
  });

  test("each line of a secret with several, in every form, but not its short ones", () => {
    const mask = createMask([KEY]);
    expect(mask.text("| c2Vjb25kIGxpbmU |\nab\nthird=line")).toBe("| *** |\nab\n***");
    expect(mask.text(encodeURIComponent("third=line"))).toBe("***");
    expect(mask.text(`a ${KEY} b`)).toBe("a *** b");
    expect(mask.text(KEY.replaceAll("\n", "\r\n"))).not.toContain("third");
  });

  test("a short one is not masked, and said to be so", () => {
    expect(createMask(["abc", ""]).text("abc")).toBe("abc");
    expect(tooShort(["abc", "", "abcd", "äöü", "😀😀😀"])).toEqual(["abc", "äöü", "😀😀😀"]);
  });
});

describe("secrets that overlap", () => {
  test.each([
    [["secret", "secret-long"], "a secret-longer b", "a ***er b"],
    [["abcd", "cdef"], "xabcdefx", "x***x"],
    [["bcde", "abcdefg"], "abcdefg abcdeX", "*** a***X"],
    [["aaaa"], "xaaaaaay", "x***y"],
    [["abcd"], "abcdabcd", "******"],
  ])("%j in %j", (secrets, text, expected) => {
    expect(createMask(secrets).text(text)).toBe(expected);
    const bytes = Buffer.from(text);
    const byteByByte = cut(
      bytes,
      Array.from(bytes, (_, index) => index),
    );
    expect(masked(createMask(secrets).stream(), byteByByte)).toBe(expected);
  });
});

describe("a stream", () => {
  test("a secret cut at every position is hidden in every form", () => {
    const mask = createMask([SECRET, KEY]);
    for (const form of [...secretForms(SECRET), ...secretForms("third=line")]) {
      const bytes = Buffer.from(`before ${form} after`);
      for (let at = 0; at <= bytes.length; at += 1) {
        expect(masked(mask.stream(), cut(bytes, [at]))).toBe("before *** after");
      }
    }
  });

  test("text that cannot begin a secret goes out at once", () => {
    const stream = createMask(["secret-word"]).stream();
    const give = (text: string): [string, number] => [
      Buffer.from(stream.push(Buffer.from(text))).toString(),
      stream.heldBytes,
    ];
    expect(give("50 % done ...")).toEqual(["50 % done ...", 0]);
    expect(give(" the se")).toEqual([" the ", 2]);
    expect(give("c")).toEqual(["", 3]);
    expect(give("ond")).toEqual(["second", 0]);
    expect(give(" secret-")).toEqual([" ", 7]);
    expect(give("word")).toEqual(["***", 0]);
    expect(give("ss")).toEqual(["s", 1]);
    expect(Buffer.from(stream.end()).toString()).toBe("s");
    expect(stream.heldBytes).toBe(0);
  });

  const secret = fc.string({
    unit: fc.constantFrom("a", "b", "c", "+", "/", "ö", '"', "\n", " "),
    minLength: 4,
    maxLength: 8,
  });
  const secrets = fc.array(secret, { minLength: 1, maxLength: 4 });
  /** Texts that are full of secrets, of their forms and of their beginnings. */
  const scene = secrets.chain((chosen) => {
    const forms = chosen.flatMap((one) => [...secretForms(one)]);
    const part = fc.oneof(
      fc.constantFrom(...forms, "a", "b", "\n"),
      fc.tuple(fc.constantFrom(...forms, "x"), fc.nat(9)).map(([form, length]) => form.slice(0, length)),
      fc.string({ unit: "binary", maxLength: 5 }),
    );
    return fc.record({
      secrets: fc.constant(chosen),
      text: fc.array(part, { maxLength: 12 }).map((parts) => Buffer.from(parts.join("")).toString()),
      cuts: fc.array(fc.nat(200), { maxLength: 8 }),
    });
  });

  test("any chunks give what one chunk gives, and no form of a secret", () => {
    fc.assert(
      fc.property(scene, ({ secrets: chosen, text, cuts }) => {
        const mask = createMask(chosen);
        const whole = mask.text(text);
        expect(masked(mask.stream(), cut(Buffer.from(text), cuts))).toBe(whole);
        for (const form of chosen.flatMap((one) => [...secretForms(one)])) expect(whole).not.toContain(form);
      }),
      { numRuns: 500 },
    );
  });

  test("reading on with a new stream from what was held gives the same rest", () => {
    fc.assert(
      fc.property(scene, ({ secrets: chosen, text, cuts }) => {
        const mask = createMask(chosen);
        const bytes = Buffer.from(text);
        const at = (cuts[0] ?? 0) % (bytes.length + 1);
        const first = mask.stream();
        const before = first.push(bytes.subarray(0, at));
        const after = mask.stream();
        const rest = [after.push(bytes.subarray(at - first.heldBytes)), after.end()];
        expect(Buffer.concat([before, ...rest]).toString("utf8")).toBe(mask.text(text));
      }),
      { numRuns: 500 },
    );
  });

  test("no more is held than could still become a secret", () => {
    fc.assert(
      fc.property(scene, ({ secrets: chosen, text }) => {
        const stream = createMask(chosen).stream();
        const bytes = Buffer.from(text);
        stream.push(bytes);
        const held = bytes.subarray(bytes.length - stream.heldBytes);
        const forms = chosen.flatMap((one) => [...secretForms(one)]).map((form) => Buffer.from(form));
        // It begins with the beginning of a form that is not over, or with a secret that such a beginning overlaps.
        const isBeginning = (tail: Buffer) =>
          forms.some((form) => form.length > tail.length && form.subarray(0, tail.length).equals(tail));
        const isHiddenThenBeginning = forms.some((form) => held.subarray(0, form.length).equals(form));
        expect(held.length === 0 || isBeginning(held) || isHiddenThenBeginning).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test("a long secret makes much output no slower than short ones do", () => {
  const secrets = Array.from({ length: 20 }, (_, index) => `token-${index}-${"0123456789abcdef".repeat(2)}`);
  const line = `2026-01-01T00:00:00Z INFO request done path=/v2/library/hello/manifests/latest status=200 token=${"x1y2".repeat(5)}\n`;
  const chunk = Buffer.from(line.repeat(600));
  const cpuOf = (all: readonly string[]): number => {
    const stream = createMask(all).stream();
    const before = process.cpuUsage();
    for (let bytes = 0; bytes < 10e6; ) bytes += stream.push(chunk).length;
    return process.cpuUsage(before).user;
  };
  cpuOf(secrets);
  // What compares it anew at every place takes a thousand times as long: every line ends as it begins.
  expect(cpuOf([...secrets, "x1y2".repeat(16_000)])).toBeLessThan(20 * cpuOf(secrets));
});
