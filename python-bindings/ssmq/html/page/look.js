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

/// Charts take their colours from the style sheet.
function makeLook() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue("--" + name).trim();
  const [text, muted, line, bar, floor, card] =
      ["text", "muted", "line", "bar", "floor", "card"].map(get);
  const ramp = [0, 1, 2, 3, 4].map((step) => get("map-" + step));
  const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  const curve = {filled: true, size: 26, opacity: 0.95};
  const [pale, deep] = isDark() ? ["#ffffff", "#0b1420"] : ["#0b2237", "#ffffff"];
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
    range: {heatmap: ramp, ramp: ramp.slice(2), ordinal: ramp}};
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
    cellPale: {color: pale, fontSize: 12}, cellDeep: {color: deep, fontSize: 12},
    cellMuted: {color: muted, fontSize: 12},
    curve: {strokeWidth: 1.6, opacity: 0.85},
    measuredCurve: {filled: true, size: 26, opacity: 0.95},
    predictedCurve: {filled: false, size: 26, strokeWidth: 1.4, opacity: 0.95},
    diagonal: {color: muted, strokeWidth: 1},
    pointName: {color: text, fontSize: 11, align: "left", dx: 8},
    curveName: {color: text, fontSize: 11, align: "left", dx: 6, dy: -6},
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
