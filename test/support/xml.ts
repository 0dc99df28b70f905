/** Checks XML with libxml2 against a schema of test/fixtures/schemas: `.xsd` (XML Schema) or `.rng` (RELAX NG). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { validateXML } from "xmllint-wasm";

const SCHEMAS = join(import.meta.dirname, "..", "fixtures", "schemas");

/** What is wrong with it, a sentence a fault; empty for a valid document. */
export async function xmlFaults(contents: string, schema: string): Promise<string[]> {
  const { valid, errors } = await validateXML({
    xml: { fileName: "document.xml", contents },
    schema: { fileName: schema, contents: await readFile(join(SCHEMAS, schema), "utf8") },
    extension: schema.endsWith(".rng") ? "relaxng" : "schema",
  });
  return valid ? [] : ["not valid", ...errors.map(({ message }) => message)];
}
