/** Reads the text that Prometheus scrapes as strictly as `promtool check metrics` does, and what the format says of histograms. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** @throws with the line, for the first thing that is not as it must be. */
export function parseMetrics(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>();
  const seen = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const told = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (told !== null) {
      const [, kind, name = "", rest = ""] = told;
      if (!NAME.test(name)) throw new Error(`no name: ${line}`);
      if (kind === "HELP") help = { name, text: rest };
      else {
        if (help?.name !== name) throw new Error(`no help before: ${line}`);
        if (families.has(name)) throw new Error(`a second time: ${line}`);
        if (!["counter", "gauge", "histogram", "summary", "untyped"].includes(rest)) throw new Error(`type: ${line}`);
        if ((rest === "counter") !== name.endsWith("_total")) throw new Error(`a counter ends in _total: ${line}`);
        current = { name, type: rest, help: help.text, samples: [] };
        families.set(name, current);
      }
      continue;
    }
    const match = SAMPLE.exec(line);
    const [, name = "", labelText = "", number = ""] = match ?? [];
    const suffix = current === undefined ? name : name.slice(current.name.length);
    const allowed = current?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    if (match === null || current === undefined || !name.startsWith(current.name) || !allowed.includes(suffix)) {
      throw new Error(`not a sample of ${current?.name}: ${line}`);
    }
    if (!/^([+-]?(Inf|\d+(\.\d+)?(e[+-]?\d+)?)|Nan)$/i.test(number)) throw new Error(`no number: ${line}`);
    const series = `${name}{${labelText}}`;
    if (seen.has(series)) throw new Error(`a second time: ${line}`);
    seen.add(series);
    const value = number.endsWith("Inf") ? Number.POSITIVE_INFINITY : Number(number);
    current.samples.push({ name, labels: readLabels(labelText, line), value });
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let at = 0;
  while (at < text.length) {
    const match = LABEL.exec(text);
    if (match?.[1] === undefined) throw new Error(`labels: ${line}`);
    if (match[1] in labels) throw new Error(`the same label twice: ${line}`);
    labels[match[1]] = (match[2] ?? "").replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
    at = LABEL.lastIndex;
  }
  return labels;
}

/** Buckets only grow, end with `+Inf`, and that one is the count. */
function checkHistogram({ name, samples }: Family): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [key, of] of series) {
    const buckets = of.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le)));
    const count = of.find((sample) => sample.name === `${name}_count`)?.value;
    const grows = (values: readonly number[]) =>
      values.every((value, at) => at === 0 || value >= (values[at - 1] ?? 0));
    if (!grows(bounds) || !grows(buckets.map(({ value }) => value))) throw new Error(`buckets of ${name} ${key}`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count) {
      throw new Error(`the last bucket of ${name} ${key}`);
    }
    if (!of.some((sample) => sample.name === `${name}_sum`)) throw new Error(`no sum of ${name} ${key}`);
  }
}
