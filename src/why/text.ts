/** Lines of a log as an explanation shows them. */

/** No line of an explanation is longer. */
const LINE_LENGTH = 300;

/** Cut with `…`, between characters. */
export function shortened(text: string, most: number = LINE_LENGTH): string {
  if (text.length <= most) return text;
  const characters = [...text];
  return characters.length <= most
    ? text
    : `${characters
        .slice(0, most - 1)
        .join("")
        .trimEnd()}…`;
}
