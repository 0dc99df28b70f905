/** Bars in a line of text. */
import { expect, test } from "vitest";
import { sparkline } from "../../src/charts/sparkline.ts";

test.each<[string, number[], { from?: number }, string]>([
  [
    "lies in the middle of the scale, as FACE.md has it",
    [61.1, 61.1, 61.3, 61.3, 61.6, 61.6, 61.6, 61.9],
    {},
    "▃▃▄▄▅▅▅▆",
  ],
  ["begins at zero for amounts", [0, 50, 100, 25], { from: 0 }, "▁▅█▃"],
  ["is level for values that are the same", [5, 5, 5], {}, "▅▅▅"],
  ["is level at the top for amounts that are the same", [5, 5], { from: 0 }, "██"],
  ["is level for zeros", [0, 0], { from: 0 }, "▅▅"],
  ["has a gap for what is no number", [1, Number.NaN, 3], { from: 0 }, "▃·█"],
  ["has only gaps for no numbers", [Number.NaN], {}, "·"],
  ["does not go below its scale", [-5, 10], { from: 0 }, "▁█"],
  ["is nothing for nothing", [], {}, ""],
])("it %s", (_name, values, options, expected) => {
  expect(sparkline(values, options)).toBe(expected);
});
