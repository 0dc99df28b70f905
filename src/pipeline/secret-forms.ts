/** The ways in which a secret turns up in what programs print. */

/** A shorter secret, or line of one, would hide half of every log. */
const SECRET_MIN_LENGTH = 4;
/** A line of wrapped base64 shorter than this is too common a text. */
const WRAPPED_MIN_LENGTH = 8;
/** Where `base64` and PEM break their lines. */
const WRAPPED_AT = [76, 64];

/** Characters that each way of URL-encoding leaves as they are: strict, JavaScript's two, a form's, Python's. */
const UNESCAPED = [/[\w.~-]/, /[\w.!~*'()-]/, /[\w.!~*'();/?:@&=+$,#-]/, /[\w.*-]/, /[\w.~/-]/];

/**
 * Every text that gives the secret away: itself, each of its lines, and of these the base64 at each offset, the URL-encoded and the
 * JSON-escaped form. None is shorter than SECRET_MIN_LENGTH characters.
 */
export function secretForms(secret: string): ReadonlySet<string> {
  const forms = pieces(secret).flatMap((piece) => [
    piece,
    ...base64Forms(piece),
    ...urlForms(piece),
    ...jsonForms(piece),
  ]);
  return new Set(forms.filter(isLongEnough));
}

/** Those of the secrets that are not masked, since they are too short; an empty one hides nothing and is not among them. */
export function tooShort(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret !== "" && !isLongEnough(secret));
}

function isLongEnough(text: string): boolean {
  return [...text].length >= SECRET_MIN_LENGTH;
}

/** The secret and its lines; each also without the white space around it, which a shell drops from an unquoted variable. */
function pieces(secret: string): string[] {
  const whole = [secret, ...secret.split(/\r\n|\r|\n/)];
  return [...new Set([...whole, ...whole.map((piece) => piece.trim())])].filter(isLongEnough);
}

/**
 * What of the base64 depends on the secret alone when 0, 1 or 2 bytes (modulo 3) stand before it: a character that it shares
 * with what comes before is left out, one that it shares with what comes after is only known where nothing does.
 */
function base64Forms(piece: string): string[] {
  const bytes = Buffer.from(piece);
  const standard = [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const from = Math.ceil((before * 8) / 6);
    const to = Math.floor(((before + bytes.length) * 8) / 6);
    return [encoded.slice(from, to), encoded.slice(from).replace(/=+$/, ""), encoded.slice(from)];
  });
  const wrapped = WRAPPED_AT.flatMap((width) => {
    const encoded = bytes.toString("base64").replace(/=+$/, "");
    if (encoded.length <= width) return [];
    return (encoded.match(new RegExp(`.{${WRAPPED_MIN_LENGTH},${width}}`, "g")) ?? []).map((line) => line);
  });
  const forms = [...standard, ...wrapped];
  return [...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))];
}

function urlForms(piece: string): string[] {
  const forms = UNESCAPED.flatMap((unescaped) => {
    const upper = percentEncoded(piece, unescaped);
    const lower = upper.replace(/%../g, (code) => code.toLowerCase());
    return [upper, lower];
  });
  return [...forms, ...forms.map((form) => form.replaceAll("%20", "+"))];
}

function percentEncoded(piece: string, unescaped: RegExp): string {
  const encodeByte = (byte: number): string => {
    const character = String.fromCharCode(byte);
    return byte < 0x80 && unescaped.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  };
  return Array.from(Buffer.from(piece), encodeByte).join("");
}

/** As JavaScript writes it; with everything but ASCII escaped, as Python does; with <, > and & escaped, as Go does; with `\/`, as PHP. */
function jsonForms(piece: string): string[] {
  const plain = JSON.stringify(piece).slice(1, -1);
  const escaped = (text: string, which: RegExp): string[] => {
    const lower = text.replace(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    const upper = text.replace(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
    return [lower, upper];
  };
  return [
    plain,
    ...escaped(plain, /[\u0080-\uffff]/g),
    ...escaped(plain, /[<>&]/g),
    ...escaped(plain.replaceAll("/", "\\/"), /[\u0080-\uffff]/g),
    plain.replaceAll("/", "\\/"),
  ];
}
