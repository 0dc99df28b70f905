/** Charts as SVG and, drawn by the real library with nothing but its own font, as PNG. */
import { describe, expect, test } from "vitest";
import { drawChart } from "../../adapters/chart/index.ts";
import { scaleOf } from "../../src/charts/scale.ts";
import { chartSvg } from "../../src/charts/svg.ts";
import type { Chart, Tone } from "../../src/chat/reply.ts";

const chartOf = (values: readonly number[], changes: Partial<Chart> = {}, tone: Tone = "passed"): Chart => ({
  title: "docker-registry: time of the last builds",
  unit: "ms",
  points: values.map((value, index) => ({ label: `#${index + 1}`, value, tone })),
  ...changes,
});

describe("the scale", () => {
  test.each<[string, Chart, string[]]>([
    ["minutes", chartOf([170_000, 215_000]), ["0", "1m", "2m", "3m", "4m"]],
    ["seconds", chartOf([4_100]), ["0", "2s", "4s", "6s"]],
    ["less than a second", chartOf([320]), ["0", "0.1s", "0.2s", "0.3s", "0.4s"]],
    ["hours", chartOf([9_000_000]), ["0", "1h", "2h", "3h"]],
    ["weeks", chartOf([20 * 86_400_000]), ["0", "5d", "10d", "15d", "20d"]],
    ["nothing at all", chartOf([0, 0]), ["0", "0.1s"]],
    ["percentages, of which a part is shown", chartOf([61.2, 61.9], { unit: "percent" }), ["61%", "61.5%", "62%"]],
    ["a level percentage", chartOf([100, 100], { unit: "percent" }), ["99.5%", "100%"]],
    ["all of it", chartOf([0, 100], { unit: "percent" }), ["0%", "25%", "50%", "75%", "100%"]],
  ])("counts as people count: %s", (_name, chart, labels) => {
    expect(scaleOf(chart).ticks.map(({ label }) => label)).toEqual(labels);
  });
});

describe("the picture", () => {
  test("has a bar and a sign for every build, and says in words what the signs mean", () => {
    const svg = chartSvg({
      ...chartOf([]),
      points: [
        { label: "#1", value: 60_000, tone: "passed" },
        { label: "#2", value: 30_000, tone: "failed" },
        { label: "#3", value: 90_000, tone: "passed" },
      ],
    });
    // The background, and a bar each.
    expect(svg.match(/<rect /g)).toHaveLength(4);
    // Two in the legend, and one each.
    expect(svg.match(/<g transform/g)).toHaveLength(5);
    for (const text of ["passed", "failed", "#1", "#2", "#3", "1m30s"]) expect(svg).toContain(`>${text}</text>`);
  });

  test("shows at most the last 60, and a label for every few", () => {
    const svg = chartSvg(chartOf(Array.from({ length: 500 }, (_, index) => index)));
    expect(svg.match(/<rect /g)).toHaveLength(61);
    expect(svg).toContain(">#500</text>");
    expect(svg).not.toContain(">#499</text>");
    expect(svg).not.toContain(">#440</text>");
  });

  test.each([
    ["markup", '</text><image href="file:///etc/passwd"/>'],
    ["entities", "&lol; <!ENTITY>"],
    ["control characters", "a\u0000b\u0007c\u001bd\uFFFEe"],
    ["half a character", "a\uD83Db"],
    ["another script", "‮עברית 漢字 🎉"],
    ["no text", ""],
    ["ten thousand characters", "x".repeat(10_000)],
  ])("a title and labels of %s are text, and it can be drawn", async (_name, title) => {
    const png = await drawChart(chartOf([1, 2], { title, points: [{ label: title, value: 1, tone: "info" }] }));
    expect(png.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1600, 600]);
  });

  test.each<[string, Chart]>([
    ["a single value", chartOf([4_100])],
    ["nothing but zeros", chartOf([0, 0])],
    ["values below zero", chartOf([-5, 5])],
    ["a percentage over 100", chartOf([100, 140], { unit: "percent" }, "info")],
    ["enormous values", chartOf([Number.MAX_VALUE, 1])],
  ])("%s can be drawn, with no number that is none", async (_name, chart) => {
    expect(chartSvg(chart)).not.toMatch(/NaN|Infinity/);
    expect((await drawChart(chart)).length).toBeGreaterThan(1_000);
  });

  test("its text is drawn although no font of the system is used", async () => {
    const [with_, without] = await Promise.all([drawChart(chartOf([1])), drawChart(chartOf([1], { title: "" }))]);
    expect(with_.length).toBeGreaterThan(without.length + 500);
  });
});
