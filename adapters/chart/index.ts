/** A chart as a PNG, for chats that show pictures. resvg draws it, with a font of our own, since a container has none. */
import { createRequire } from "node:module";
import { chartSvg } from "../../src/charts/svg.ts";
import type { Chart } from "../../src/chat/reply.ts";
import { describeError, RuntimeError } from "../../src/errors.ts";

/** For screens that show two pixels for one. */
const ZOOM = 2;

/**
 * 1600 by 600 pixels, drawn outside of the event loop. The library is loaded with the first chart.
 * @throws RuntimeError where there is no binary of it for this platform, or it cannot draw.
 */
export async function drawChart(chart: Chart): Promise<Buffer> {
  try {
    const { renderAsync } = await import("@resvg/resvg-js");
    const { resolve } = createRequire(import.meta.url);
    const image = await renderAsync(chartSvg(chart), {
      fitTo: { mode: "zoom", value: ZOOM },
      font: {
        loadSystemFonts: false,
        fontFiles: ["DejaVuSans", "DejaVuSans-Bold"].map((name) => resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`)),
        defaultFontFamily: "DejaVu Sans",
      },
    });
    return image.asPng();
  } catch (error) {
    throw new RuntimeError(`a chart could not be drawn (${describeError(error)})`, { cause: error, retryable: false });
  }
}
