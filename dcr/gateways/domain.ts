/** Domains, as gateways are told of them (O-152). */

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Letters, digits, dots and dashes; every label begins and ends with a letter or a digit. */
export function isDomain(text: string): boolean {
  return (
    text.length <= 253 &&
    text
      .toLowerCase()
      .split(".")
      .every((label) => LABEL.test(label))
  );
}
