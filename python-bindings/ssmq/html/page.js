(() => {
"use strict";

const {tables, charts} = JSON.parse(document.getElementById("data").textContent);
const TOP = 30, PANELS = 12, PAGE = 100;
// The columns of a row; those of the extra metrics come behind.
const SITE = 0, FORMAT = 1, BYTES = 2, BITS = 3, METHOD = 4, KL = 5, LOW = 6, HIGH = 7, BELOW = 8,
      EXTRA = 9;
const state = {table: 0, view: 0, filter: "", log: false, all: false, panels: false, every: false,
               more: false, find: "", sort: {key: "kl", down: true}, shown: PAGE};
const get = (id) => document.getElementById(id);
const table = () => tables[state.table];
const view = () => table().views[state.view];

// Numbers

const MINUS = "\u2212", NONE = "\u2013";

function show(value) {
  if (value === null || value === undefined) return NONE;
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e-3 && size < 1e5 ? String(Number(value.toPrecision(3)))
                                          : value.toExponential(2);
  return text.replaceAll("-", MINUS);
}

const showPercent = (share) =>
    share >= 0.0995 ? Math.round(100 * share) + " %" : (100 * share).toFixed(1) + " %";
const showRank = (ranks) =>
    !ranks ? NONE : ranks[0] === ranks[1] ? String(ranks[0]) : ranks[0] + "\u2013" + ranks[1];
const showInterval = (low, high) => low === null ? NONE : show(low) + " to " + show(high);

// Elements. Names of a table only ever become text.

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function makeOption(value, text) { return make("option", {value, textContent: text}); }

// Rows of the view as charts and the table take them

function isShown(site) {
  const [what, ...rest] = state.filter.split(":");
  return !what || site[what] === rest.join(":");
}

const orders = new Map();
/// A place for each layer and role, in the order of the model.
function getOrders() {
  if (!orders.has(state.table)) {
    const layers = [...new Set(table().sites.map((site) => site.layer))];
    const rank = (layer) => layer === "pre" ? -1 : layer === "post" ? Infinity : Number(layer);
    layers.sort((a, b) => rank(a) - rank(b));
    const roles = [...new Set(table().sites.map((site) => site.role))];
    orders.set(state.table, {layers: new Map(layers.map((name, index) => [name, index])),
                             roles: new Map(roles.map((name, index) => [name, index]))});
  }
  return orders.get(state.table);
}

function makeRecord(index, ranks, isTied) {
  const row = table().rows[index], site = table().sites[row[SITE]];
  const {layers, roles} = getOrders();
  const record = {
    index, site: site.name, label: site.label, kind: site.kind, layer: site.layer, role: site.role,
    layerOrder: layers.get(site.layer), roleOrder: roles.get(site.role),
    depth: layers.get(site.layer) / Math.max(1, layers.size - 1),
    format: row[FORMAT], bytes: row[BYTES], bits: row[BITS], method: row[METHOD], kl: row[KL],
    low: row[LOW], high: row[HIGH], below: row[BELOW] || !(row[KL] > 0), ranks, isTied,
    assigned: table().assignment ? table().assignment[row[SITE]] : null,
    klText: show(row[KL]), intervalText: showInterval(row[LOW], row[HIGH]),
    rankText: showRank(ranks), bitsText: row[BITS] === null ? NONE : row[BITS].toFixed(2)};
  table().extra.forEach((metric, at) => { record[metric.name] = row[EXTRA + at]; });
  return record;
}

const getViewRecords = (one = view()) =>
    one.rows.map((index, at) => makeRecord(index, one.ranks[at], one.tied[at]))
        .filter((row) => isShown(row));

/// Every row once, with its rank among the rows of its format.
const getAllRecords = () => table().views.filter((one) => !one.isMixed).flatMap(
    (one) => getViewRecords(one));

// Themes

const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = null, isPrinting = false;

const isDark = () => !isPrinting && (theme ?? (dark.matches ? "dark" : "light")) === "dark";

function applyTheme() {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  get("theme").textContent = isDark() ? "Light" : "Dark";
  get("theme").setAttribute("aria-label", "Change to " + (isDark() ? "light" : "dark") + " colours");
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
    range: {heatmap: ramp, ramp: ramp.slice(1), ordinal: ramp}};
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

// Charts

const drawn = new Map();

/// Drops layers by name: one without rows would warn of an empty axis.
function drop(spec, name) {
  for (const inner of [spec, spec.spec ?? {}])
    if (inner.layer) inner.layer = inner.layer.filter((layer) => layer.name !== name);
}

async function draw(id, chart, datasets, description, adapt = () => {}) {
  const target = get(id);
  if (!target) return;
  // Another drawing may have begun while this one was waiting.
  const turn = {};
  drawn.get(id)?.result?.finalize();
  drawn.set(id, turn);
  if (!datasets.rows.length) {
    target.replaceChildren(make("p", {className: "empty", textContent: "Nothing to show."}));
    return;
  }
  const spec = structuredClone(charts[chart]);
  spec.datasets = datasets;
  spec.description = description;
  delete spec.config;
  for (const method of ["measured", "predicted"])
    if (!datasets.rows.some((row) => row.method === method)) drop(spec, method);
  if (spec.height?.step) {
    const field = spec.layer[0].encoding.y.field;
    spec.height = spec.height.step * new Set(datasets.rows.map((row) => row[field])).size;
    spec.autosize = {type: "fit-x", contains: "padding"};
  }
  adapt(spec);
  const {config, styles} = makeLook();
  applyStyles(spec, styles);
  try {
    const actions = !id.endsWith("Shares") &&
        {export: true, source: false, compiled: false, editor: false};
    const result = await vegaEmbed(target, spec, {
      renderer: "svg", ast: true, config, tooltip: {theme: "custom"}, actions,
      downloadFileName: `ssmq-${id}`});
    if (drawn.get(id) === turn) turn.result = result;
    target.dataset.drawn = chart;
  } catch (error) {
    target.replaceChildren(make("p", {className: "empty", textContent: "This chart failed."}));
    console.error(id, error);
  }
}

function drawShares() {
  for (const [id, chart, shares] of [["layerShares", "layerShares", view().layers],
                                     ["roleShares", "roleShares", view().roles]]) {
    get(id + "Title").textContent = (id === "layerShares" ? "By layer" : "By kind of site") +
        (shares.length > 12 ? `, 12 of ${shares.length}` : "");
    const rows = shares.slice(0, 12).map(
        ([name, share], order) => ({name, share, order, text: showPercent(share)}));
    const worst = rows.length ? `${rows[0].name} holds ${rows[0].text}` : "no loss";
    draw(id, chart, {rows},
         `Bars: share of the summed KL by ${id === "layerShares" ? "layer" : "kind of site"}; ${worst}.`);
  }
}

function drawHeat() {
  const rows = getViewRecords().filter((row) => row.kl !== null);
  const above = rows.filter((row) => !row.below).map((row) => Math.log(row.kl));
  const low = Math.min(...above), high = Math.max(...above);
  const {layers} = getOrders();
  // Of a cell; numbers that do not fit are left to the tooltip and the table.
  const room = (get("heat").clientWidth - 110) / Math.max(1, layers.size);
  for (const row of rows) {
    const depth = high > low ? (Math.log(row.kl) - low) / (high - low) : 1;
    row.cellStyle = row.below ? "cellMuted" : depth > 0.55 ? "cellDeep" : "cellPale";
    const value = 1000 * row.kl;
    const text = value >= 9.95 ? value.toFixed(0) : value >= 0.995 ? value.toFixed(1)
                                                  : value.toFixed(2).replace(/^0/, "");
    const mark = row.method === "predicted" ? "~" : "";
    row.cellText = row.below ? "\u00b7" : room < 34 ? mark : mark + text;
  }
  const worst = rows.reduce((a, b) => a && a.kl >= b.kl ? a : b, null);
  draw("heat", "heat", {rows}, `Heat map of KL by layer and kind of site in ${view().title}; ` +
       (worst ? `the largest is ${worst.site} with ${worst.klText}.` : "empty."), (spec) => {
    if (!above.length) drop(spec, "above");
  });
}

function drawRanking() {
  const records = getViewRecords().filter((row) => row.kl !== null);
  const rows = (state.all ? records : records.slice(0, TOP))
                   .filter((row) => !state.log || row.kl > 0);
  rows.forEach((row, order) => {
    row.order = order;
    if (state.log && !(row.low > 0)) row.low = null;
    if (order && row.isTied && isNeighbour(rows[order - 1], row))
      row.tiedWith = rows[order - 1].label;
  });
  const kl = table().floor;
  const floor = kl > 0 || !state.log ? [{kl, text: `noise floor ${show(kl)}`}] : [];
  const many = records.length > TOP;
  get("all").hidden = !many;
  get("all").textContent = state.all ? `Show the worst ${TOP}` : `Show all ${records.length}`;
  const worst = rows.slice(0, 3).map((row) => `${row.label} ${row.klText}`).join(", ");
  draw("ranking", state.log ? "rankingLog" : "rankingLinear", {rows, floor},
       `Sites by KL in ${view().title}, the worst first: ${worst}.`, (spec) => {
    if (!rows.some((row) => row.low !== null)) drop(spec, "interval");
  });
}

function isNeighbour(a, b) {
  const order = view().rows;
  return order.indexOf(b.index) - order.indexOf(a.index) === 1;
}

function drawCurves() {
  let rows = getAllRecords().filter((row) => row.kl > 0 && row.bits !== null);
  const worst = new Map();
  for (const row of rows) worst.set(row.role, Math.max(worst.get(row.role) ?? 0, row.kl));
  const roles = [...worst.keys()].sort((a, b) => worst.get(b) - worst.get(a));
  get("panels").hidden = roles.length <= PANELS;
  get("panels").textContent = state.panels ? `Show the worst ${PANELS}` : `Show all ${roles.length}`;
  const kept = new Set(state.panels ? roles : roles.slice(0, PANELS));
  rows = rows.filter((row) => kept.has(row.role));
  markBest(rows);
  const floor = table().floor;
  for (const row of rows) if (floor > 0) row.floor = floor;
  const width = get("curves").clientWidth;
  const columns = Math.min(kept.size, Math.max(1, Math.floor(width / (narrow() ? 165 : 270))));
  draw("curves", "curves", {rows}, "KL against bits, a panel for each kind of site.", (spec) => {
    spec.columns = columns;
    spec.spacing = {column: 26, row: 22};
    spec.spec.width = Math.max(90, Math.floor((width - 70 - 26 * (columns - 1)) / columns));
    spec.spec.height = narrow() ? 120 : 150;
  });
}

/// Rows that no row of the same site beats in both bits and KL, and the worst site of each role.
function markBest(rows) {
  const sites = new Map(), tops = new Map();
  for (const row of rows) sites.set(row.site, [...(sites.get(row.site) ?? []), row]);
  for (const list of sites.values()) {
    list.sort((a, b) => a.bits - b.bits || a.kl - b.kl);
    let least = Infinity;
    for (const row of list) {
      row.best = row.kl < least;
      least = Math.min(least, row.kl);
    }
  }
  for (const row of rows)
    if (row.best && !(tops.get(row.role)?.kl >= row.kl)) tops.set(row.role, row);
  for (const row of tops.values()) row.top = true;
}

function drawAssigned() {
  if (!get("assigned")) return;
  const {assignment, sites} = table();
  get("assignedSection").hidden = !assignment;
  if (!assignment) return;
  const {layers, roles} = getOrders();
  const formats = [...new Set(table().views.filter((one) => !one.isMixed)
                                  .map((one) => one.title))];
  const byFormat = new Map(table().rows.map((row) => [row[SITE] + "\0" + row[FORMAT], row]));
  const used = formats.filter((name) => assignment.includes(name));
  // As the colours of the ordinal ramp fall to the formats, in the order of their bits.
  const getInk = (format) => used.indexOf(format) > 0.55 * (used.length - 1) ? "cellDeep" : "cellPale";
  const rows = sites.flatMap((site, index) => {
    const format = assignment[index];
    if (!isShown(site) || !format) return [];
    const row = byFormat.get(index + "\0" + format);
    return [{site: site.name, format, layer: site.layer, role: site.role,
             layerOrder: layers.get(site.layer), roleOrder: roles.get(site.role),
             formatOrder: formats.includes(format) ? formats.indexOf(format) : formats.length,
             klText: show(row?.[KL]), cellStyle: getInk(format), cellText: row && row[BITS] !== null ? row[BITS].toFixed(1) : ""}];
  });
  const count = new Map();
  for (const row of rows) count.set(row.format, (count.get(row.format) ?? 0) + 1);
  const text = [...count].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} at ${n}`);
  get("assignedHint").textContent = `Bits an element. Sites: ${text.join(", ")}.`;
  draw("assigned", "assigned", {rows}, `The format of each site: ${text.join(", ")}.`);
}

// The table

function getColumns() {
  const columns = [
    {key: "site", title: "site", word: true}, {key: "kind", title: "kind", word: true},
    {key: "layerOrder", title: "layer", text: (row) => row.layer},
    {key: "format", title: "format", word: true},
    {key: "bits", title: "bits", text: (row) => row.bitsText},
    {key: "bytes", title: "bytes", text: (row) => row.bytes.toLocaleString("en")},
    {key: "kl", title: "KL(p\u2016q)", text: (row) => row.klText},
    {key: "low", title: "95 % interval", text: (row) => row.intervalText},
    {key: "rank", title: "rank", text: (row) => row.rankText},
    {key: "method", title: "method", word: true}];
  if (table().assignment) columns.push({key: "assigned", title: "assigned", word: true});
  if (state.more) {
    for (const metric of table().extra)
      columns.push({key: metric.name, title: metric.title, text: (row) => show(row[metric.name])});
  }
  return columns;
}

function compare(a, b) {
  if (typeof a === "string" || typeof b === "string") return String(a ?? "").localeCompare(b ?? "");
  return a - b;
}

function getGridRows() {
  const words = state.find.toLowerCase().split(/\s+/).filter(Boolean);
  const {key, down} = state.sort;
  const getKey = (row) => key === "rank" ? row.ranks?.[0] ?? null : row[key];
  const records = state.every ? getAllRecords() : getViewRecords();
  return records
      .filter((row) => words.every((word) => (row.site + " " + row.format).toLowerCase().includes(word)))
      .sort((a, b) => {
        const [x, y] = [getKey(a), getKey(b)];
        // What is missing stands last in either direction.
        if ((x ?? null) === null || (y ?? null) === null)
          return ((x ?? null) === null) - ((y ?? null) === null);
        return down ? compare(y, x) : compare(x, y);
      });
}

function drawGrid() {
  const columns = getColumns(), rows = getGridRows();
  const head = columns.map((column) => {
    const button = make("button", {type: "button"}, column.title);
    button.addEventListener("click", () => {
      const same = state.sort.key === column.key;
      state.sort = {key: column.key, down: same ? !state.sort.down : !column.word};
      drawGrid();
    });
    const cell = make("th", {scope: "col", className: column.word ? "word" : ""}, button);
    if (state.sort.key === column.key) {
      cell.setAttribute("aria-sort", state.sort.down ? "descending" : "ascending");
      button.append(state.sort.down ? " \u25be" : " \u25b4");
    }
    return cell;
  });
  const body = rows.slice(0, state.shown).map((row) => {
    const cells = columns.map((column) => make("td", {
      className: column.word ? "word" : "", title: column.key === "site" ? row.site : ""},
      column.text ? column.text(row) : row[column.key] ?? NONE));
    return make("tr", {className: row.below ? "below" : ""}, ...cells);
  });
  // Keeps the keyboard where it was.
  const focused = [...get("grid").tHead.querySelectorAll("button")].indexOf(document.activeElement);
  get("grid").tHead.replaceChildren(make("tr", {}, ...head));
  get("grid").tBodies[0].replaceChildren(...body);
  if (focused >= 0) get("grid").tHead.querySelectorAll("button")[focused]?.focus();
  get("count").textContent = `${rows.length} rows` + (state.every ? "" : ` in ${view().title}`) +
      ". A point and muted text: below the noise floor.".slice(rows.some((row) => row.below) ? 0 : -1);
  get("next").hidden = rows.length <= state.shown;
  get("next").textContent = `Show ${Math.min(PAGE, rows.length - state.shown)} more`;
}

/// As `ssmq export` guards them: a name that a spreadsheet would run begins with a quote.
function quoteCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value);
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function download() {
  const extra = table().extra.map((metric) => metric.name);
  const names = ["site", "kind", "layer", "format", "method", "bits", "bytes", "forwardKL",
                 "forwardKL_low", "forwardKL_high", "rank_low", "rank_high", ...extra];
  const lines = getGridRows().map((row) => [
    row.site, row.kind, row.layer, row.format, row.method, row.bits, row.bytes, row.kl, row.low,
    row.high, row.ranks?.[0], row.ranks?.[1], ...extra.map((name) => row[name])]);
  const text = [names, ...lines].map((line) => line.map(quoteCell).join(",")).join("\r\n") + "\r\n";
  const link = make("a", {download: "sensitivity.csv",
                          href: URL.createObjectURL(new Blob([text], {type: "text/csv"}))});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// The page

function drawHead() {
  const {facts, floors} = table();
  get("facts").replaceChildren(...facts.map(([name, value]) => make(
      "div", {}, make("dt", {textContent: name}), make("dd", {textContent: value}))));
  get("floors").textContent = floors.length
      ? "Noise floor: " + floors.map((one) => `${one.name} ${show(one.kl)}`).join(", ") +
            " nats a token; charts show the larger."
      : "The table has no noise floor.";
}

function fillControls() {
  get("view").replaceChildren(...table().views.map((one, index) => makeOption(
      index, `${one.title} (${one.rows.length})`)));
  get("view").value = state.view;
  const sites = table().sites;
  const group = (label, key) => {
    const names = [...new Set(sites.map((site) => site[key]))];
    return make("optgroup", {label},
                ...names.map((name) => makeOption(`${key}:${name}`, name)));
  };
  get("sites").replaceChildren(makeOption("", "all"), group("Kind of value", "kind"),
                               group("Kind of site", "role"), group("Layer", "layer"));
  get("sites").value = state.filter;
}

function drawView() {
  get("findings").replaceChildren(...view().sentences.map((text) => make("li", {textContent: text})));
  drawShares();
  drawHeat();
  drawRanking();
  drawCurves();
  drawAssigned();
  drawGrid();
}

function selectTable(index) {
  state.table = index;
  state.view = table().start;
  state.filter = "";
  state.shown = PAGE;
  fillControls();
  drawHead();
  drawView();
}

function listen(id, event, act) { get(id).addEventListener(event, act); }

get("table").replaceChildren(...tables.map((one, index) => makeOption(
    index, `${one.name}, ${one.calibration} (${one.file})`)));
get("tableControl").hidden = tables.length < 2;
listen("table", "change", (event) => selectTable(Number(event.target.value)));
listen("view", "change", (event) => { state.view = Number(event.target.value); drawView(); });
listen("sites", "change", (event) => { state.filter = event.target.value; drawView(); });
listen("log", "change", (event) => { state.log = event.target.checked; drawRanking(); });
listen("all", "click", () => { state.all = !state.all; drawRanking(); });
listen("panels", "click", () => { state.panels = !state.panels; drawCurves(); });
listen("every", "change", (event) => { state.every = event.target.checked; drawGrid(); });
listen("more", "change", (event) => { state.more = event.target.checked; drawGrid(); });
listen("find", "input", (event) => { state.find = event.target.value; drawGrid(); });
listen("next", "click", () => { state.shown += PAGE; drawGrid(); });
listen("csv", "click", download);
listen("theme", "click", () => {
  theme = isDark() ? "light" : "dark";
  applyTheme();
  drawView();
});
const restyle = () => { applyTheme(); drawView(); };
dark.addEventListener("change", restyle);
addEventListener("beforeprint", () => { isPrinting = true; restyle(); });
addEventListener("afterprint", () => { isPrinting = false; restyle(); });
let width = innerWidth, timer = 0;
addEventListener("resize", () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (width === innerWidth) return;
    width = innerWidth;
    drawView();
  }, 150);
});
applyTheme();
selectTable(0);
})();
