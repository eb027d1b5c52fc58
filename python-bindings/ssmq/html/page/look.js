// Colours: the style sheet's, light or dark.

const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = null, isPrinting = false;

const isDark = () => !isPrinting && (theme ?? (dark.matches ? "dark" : "light")) === "dark";

function applyTheme() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  get("theme").textContent = isDark() ? "Light" : "Dark";
  get("theme").setAttribute("aria-label",
                            "Change to " + (isDark() ? "light" : "dark") + " colours");
}

function getColours(...names) {
  const style = getComputedStyle(document.documentElement);
  return names.map((name) => style.getPropertyValue("--" + name).trim());
}

const getRamp = () => getColours("map-0", "map-1", "map-2", "map-3", "map-4");

/// Red, green and blue of the ramp at a place in [0, 1], as Vega takes them.
function mix(ramp, place) {
  const at = place * (ramp.length - 1), below = Math.min(Math.floor(at), ramp.length - 2);
  const parse = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
  const [low, high] = [parse(ramp[below]), parse(ramp[below + 1])];
  return low.map((value, channel) => Math.round(value + (at - below) * (high[channel] - value)));
}

/// The style of text with the higher contrast, at least 4.5 by WCAG 2's luminance.
function getInk(colour) {
  const linear = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.179 ? "cellBlack" : "cellWhite";
}

/// Twelve that differ in lightness too, dark ones made lighter on a dark page.
function getSeriesColours() {
  return isDark() ? ["#e8e8e8", "#ff9d57", "#4fc3f7", "#ff6f91", "#5fd68b", "#c9a0ff", "#ffd94a",
                     "#8fa8ff", "#d0a37c", "#49d6c5", "#f2b6d2", "#a9cdf0"]
                  : ["#3a3a3a", "#d55e00", "#0072b2", "#c2185b", "#1b7f3b", "#7a3fb5", "#a07a00",
                     "#3f51d5", "#7b4a22", "#00857a", "#e57fb0", "#6fa8dc"];
}

/// Charts take their colours from the style sheet.
function makeLook() {
  const [text, muted, line, bar, floor, card] =
      getColours("text", "muted", "line", "bar", "floor", "card");
  const ramp = getRamp();
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const config = {
    background: null, font,
    view: {stroke: null},
    axis: {labelColor: text, titleColor: muted, titleFontWeight: "normal", gridColor: line,
           gridOpacity: 0.6, domain: false, tickColor: line, labelFontSize: 12, titleFontSize: 12,
           labelLimit: narrow() ? 140 : 260},
    axisBand: {ticks: false, grid: false, labelPadding: 6},
    legend: {labelColor: text, titleColor: muted, titleFontWeight: "normal", labelFontSize: 12,
             titleFontSize: 12, gradientLength: narrow() ? 180 : 240},
    header: {labelColor: text, labelFontWeight: 600, labelFontSize: 13, labelAnchor: "start"},
    range: {heatmap: ramp, ramp: ramp.slice(2), category: getSeriesColours()}};
  const styles = {
    measured: {color: bar, cornerRadiusEnd: 2, height: {band: 0.62}},
    predicted: {color: card, stroke: bar, strokeWidth: 1.5, height: {band: 0.62}},
    measuredPoint: {fill: bar, stroke: bar, size: 70, opacity: 1},
    predictedPoint: {fill: card, stroke: bar, size: 70, strokeWidth: 2, opacity: 1},
    interval: {color: text, strokeWidth: 1.5},
    tie: {color: muted, strokeWidth: 2, xOffset: 6},
    rank: {color: muted, align: "left", dx: 14, fontSize: 12},
    floor: {color: floor, strokeDash: [5, 4], strokeWidth: 1.5},
    cell: {stroke: card, strokeWidth: 2, cornerRadius: 3},
    cellBelow: {color: line, fillOpacity: 0.45, stroke: card, strokeWidth: 2, cornerRadius: 3},
    cellBlack: {color: "#000000", fontSize: 12}, cellWhite: {color: "#ffffff", fontSize: 12},
    cellMuted: {color: muted, fontSize: 12},
    curve: {strokeWidth: 1.6, opacity: 0.85},
    measuredCurve: {filled: true, size: 26, opacity: 0.95},
    predictedCurve: {filled: false, size: 26, strokeWidth: 1.4, opacity: 0.95},
    diagonal: {color: muted, strokeWidth: 1},
    pointName: {color: text, fontSize: 11, align: "left", dx: 8},
    curveName: {color: text, fontSize: 11, align: "left", dx: 6, dy: -6},
    sizes: {strokeWidth: 1.6, opacity: 0.8},
    sizesError: {strokeWidth: 1.2, opacity: 0.7},
    sizesPoint: {filled: true, size: 60, opacity: 1},
    share: {color: text, fontSize: 12, align: "left", dx: 5}};
  return {config, styles};
}

/// A style in the configuration would give way to the default colours of marks.
function applyStyles(spec, styles) {
  if (spec.mark?.style) {
    Object.assign(spec.mark, styles[spec.mark.style]);
    delete spec.mark.style;
  }
  for (const inner of [...(spec.layer ?? []), spec.spec])
    if (inner) applyStyles(inner, styles);
}

const narrow = () => innerWidth < 640;
