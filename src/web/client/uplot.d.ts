/** The types of `/assets/uplot.js`, which is uPlot's own file made a module (assets.ts). */
import uPlot from "uplot";

// biome-ignore lint/style/noDefaultExport: that is how uPlot's modules have it
export default uPlot;
