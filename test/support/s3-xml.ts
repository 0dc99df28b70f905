/** The XML that S3 answers with and the little of it that it is sent. */
import { decodeXML, escapeUTF8 } from "entities";

/** An answer that is not what was asked for. */
export class S3Error extends Error {
  override readonly name = "S3Error";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Element names to text, to a nested element, or to several of that name. */
export interface Xml {
  readonly [element: string]: string | number | boolean | Xml | readonly (string | Xml)[];
}

export function document(root: string, content: Xml): string {
  const namespace = root === "Error" ? "" : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${elements(content)}</${root}>`;
}

function elements(content: Xml): string {
  return Object.entries(content)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => `<${name}>${inside(one)}</${name}>`),
    )
    .join("");
}

function inside(value: string | number | boolean | Xml): string {
  return typeof value === "object" ? elements(value) : escapeUTF8(String(value));
}

/** What stands in every element of that name, at any depth. */
export function inElements(xml: string, name: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, "g"))].map(([, text = ""]) => text);
}

export function inElement(xml: string, name: string): string | undefined {
  const [text] = inElements(xml, name);
  return text === undefined ? undefined : decodeXML(text);
}
