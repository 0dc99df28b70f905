/** Words for a POSIX shell, which a person may read, copy and paste. */

/** What every shell takes as it is, also in front of a word. */
const PLAIN = /^[A-Za-z0-9_./@,+][A-Za-z0-9_./:@%=,+-]*$/;
/** What a terminal would act on, or nobody can see; a line break is neither. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/**
 * One word that a shell reads as exactly this text. What cannot be seen stands as its octal bytes, so that what is read is what
 * is run. A NUL, which no word can hold, is left out.
 */
export function shellQuote(text: string): string {
  if (PLAIN.test(text)) return text;
  let quoted = "";
  let literal = "";
  const close = (): void => {
    if (literal !== "") quoted += `'${literal.replaceAll("'", "'\\''")}'`;
    literal = "";
  };
  for (const character of text) {
    if (character === "\0") continue;
    if (character === "\n" || !UNSEEN.test(character)) {
      literal += character;
      continue;
    }
    close();
    const bytes = [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`);
    quoted += `"$(printf '${bytes.join("")}')"`;
  }
  close();
  return quoted === "" ? "''" : quoted;
}
