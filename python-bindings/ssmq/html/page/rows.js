// The state of the page, and rows of the view as charts and the table take them.

const {tables, results, charts} = JSON.parse(document.getElementById("data").textContent);
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
  const text = size >= 1e-4 && size < 1000 ? value.toPrecision(3) :
               size >= 1000 && size < 1e6 ? value.toFixed(0) : value.toExponential(2);
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
