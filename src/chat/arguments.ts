/** Puts the words of a line into a command's arguments. */

import { type ArgumentForm, argumentForms, type Command } from "./command.ts";
import type { ParsedCommand, Word } from "./grammar.ts";
import { restFrom } from "./grammar.ts";
import { quoted } from "./quoted.ts";

/** No more of an unknown option is repeated. */
const OPTION_LENGTH = 40;

export type Bound =
  | { readonly kind: "bound"; readonly given: Readonly<Record<string, unknown>> }
  /** A phrase about what does not fit: `one word too many: "now"`. */
  | { readonly kind: "unfit"; readonly problem: string };

/**
 * Words fill the arguments in their order; `--name value`, `--name=value` and `name=value` fill the one they name, a switch is
 * named alone, and any other `key=value` goes to the argument that takes pairs. A pair's key counts as written: `REF=…` is a variable, not the ref.
 * Before free text, what names another argument is no part of it.
 */
export function bindArguments(command: Command, line: ParsedCommand): Bound {
  const parsed = withoutFiller(command, line);
  const { words } = parsed;
  const forms = argumentForms(command.args);
  const given: Record<string, unknown> = {};
  const pairs: Record<string, string> = {};
  const pairsForm = forms.find(({ takes }) => takes === "pairs");
  const named = (name: string): ArgumentForm | undefined =>
    forms.find((form) => form.takes !== "pairs" && form.name.toLowerCase() === name.toLowerCase());
  const nextForm = (): ArgumentForm | undefined => forms.find((form) => isFilled(form.takes) && !(form.name in given));

  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined) break;
    const form = nextForm();
    const isNamed = word.kind === "flag" && ![undefined, form].includes(named(word.name));
    if (form?.takes === "rest" && !isNamed) {
      given[form.name] = restFrom(parsed, index);
      break;
    }
    if (word.kind === "flag") {
      const target = named(word.name);
      if (target === undefined) return unfit(`there is no option --${word.name.slice(0, OPTION_LENGTH)}`);
      if (target.takes === "switch") {
        if (word.value !== undefined) return unfit(`--${word.name} takes no value`);
        given[target.name] = true;
        continue;
      }
      const following = word.value === undefined ? words[index + 1] : undefined;
      if (following !== undefined) index += 1;
      const value = word.value ?? following?.text;
      if (value === undefined) return unfit(`--${word.name} has no value`);
      if (target.name in given) return unfit(`${target.name} is given twice`);
      given[target.name] = value;
    } else if (word.kind === "pair" && forms.some(({ name, takes }) => name === word.key && isFilled(takes))) {
      if (word.key in given) return unfit(`${word.key} is given twice`);
      given[word.key] = word.value;
    } else if (word.kind === "pair" && pairsForm !== undefined) {
      // To JavaScript it is no name like others, and it would be lost without a word.
      if (word.key === "__proto__") return unfit("a variable cannot be called __proto__");
      pairs[word.key] = word.value;
    } else if (form === undefined) {
      return unfit(`one word too many: ${quoted(word.text)}`);
    } else {
      given[form.name] = plain(word);
    }
  }
  if (pairsForm !== undefined && Object.keys(pairs).length > 0) given[pairsForm.name] = pairs;
  return { kind: "bound", given };
}

function withoutFiller({ filler }: Command, line: ParsedCommand): ParsedCommand {
  const [first, ...others] = line.words;
  const says = first?.kind !== "text" || !filler.includes(first.text.toLowerCase());
  return says ? line : { ...line, words: others };
}

function isFilled(takes: ArgumentForm["takes"]): boolean {
  return takes === "word" || takes === "rest";
}

/** A pattern stays one, `/panic/i`; anything else is its text. */
function plain(word: Word): string {
  return word.kind === "pattern" ? `/${word.source}/${word.ignoreCase ? "i" : ""}` : word.text;
}

function unfit(problem: string): Bound {
  return { kind: "unfit", problem };
}
