// The charts: data and colours for the specifications of charts.py.

const drawn = new Map();

/// How many charts are being drawn, for who waits for the page.
function setPending(change) {
  const {dataset} = document.documentElement;
  dataset.pending = Number(dataset.pending ?? 0) + change;
}

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
  spec.datasets = {...spec.datasets, ...datasets};
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
  setPending(1);
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
  } finally {
    setPending(-1);
  }
}

function drawShares() {
  for (const [id, chart, shares] of [["layerShares", "layerShares", view().layers],
                                     ["roleShares", "roleShares", view().roles]]) {
    const what = id === "layerShares" ? "layer" : "kind of site";
    const most = shares.length > 12 ? `, 12 of ${shares.length}` : "";
    get(id + "Title").textContent = `By ${what}` + most;
    const rows = shares.slice(0, 12).map(
        ([name, share], order) => ({name, share, order, text: showPercent(share)}));
    const worst = rows.length ? `${rows[0].name} holds ${rows[0].text}` : "no loss";
    draw(id, chart, {rows},
         `Bars: share of the summed KL by ${what}; ${worst}.`, (spec) => {
      // Room for the text behind the longest bar.
      spec.layer[0].encoding.x.scale = {domainMax: 1.2 * (rows[0]?.share ?? 1), nice: false};
    });
  }
}

function drawHeat() {
  const rows = getViewRecords().filter((row) => row.kl !== null);
  const above = rows.filter((row) => !row.below).map((row) => Math.log(row.kl));
  const low = Math.min(...above), high = Math.max(...above);
  const {layers} = getOrders();
  // Of a cell; numbers that do not fit are left to the tooltip and the table.
  get("heat").style.minWidth = `${130 + 18 * layers.size}px`;
  const room = (get("heat").clientWidth - 110) / Math.max(1, layers.size);
  const ramp = getRamp();
  for (const row of rows) {
    const depth = high > low ? (Math.log(row.kl) - low) / (high - low) : 0.5;
    row.cellStyle = row.below ? "cellMuted" : getInk(mix(ramp, depth));
    const value = 1000 * row.kl;
    const text = value >= 9.95 ? value.toFixed(0) : value >= 0.995 ? value.toFixed(1)
                                                  : value.toFixed(2).replace(/^0/, "");
    const mark = row.method === "predicted" ? "~" : "";
    row.cellText = row.below ? "\u00b7" : room < 34 ? "" : mark + text;
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
  get("panels").textContent =
      state.panels ? `Show the worst ${PANELS}` : `Show all ${roles.length}`;
  const kept = new Set(state.panels ? roles : roles.slice(0, PANELS));
  rows = rows.filter((row) => kept.has(row.role));
  markBest(rows);
  const floor = table().floor;
  for (const row of rows) if (floor > 0) row.floor = floor;
  const width = get("curves").clientWidth;
  const columns = Math.min(kept.size, Math.max(1, Math.floor(width / (narrow() ? 165 : 270))));
  draw("curves", "curves", {rows}, "KL against bits, a panel for each kind of site.", (spec) => {
    spec.columns = columns;
    spec.spacing = {column: 26, row: 40};
    spec.spec.width = Math.max(90, Math.floor((width - 62 - 26 * (columns - 1)) / columns));
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
  get("assigned").style.minWidth = get("heat").style.minWidth;
  // In the order of their bits; those that the table does not know come last.
  const used = [...new Set([...table().views.filter((one) => !one.isMixed)
                                .map((one) => one.title), ...assignment])]
                   .filter((name) => name && assignment.includes(name));
  const byFormat = new Map(table().rows.map((row) => [row[SITE] + "\0" + row[FORMAT], row]));
  const ramp = getRamp();
  const colours = new Map(used.map(
      (name, index) => [name, mix(ramp, (index + 0.5) / used.length)]));
  const rows = sites.flatMap((site, index) => {
    const format = assignment[index];
    if (!isShown(site) || !format) return [];
    const row = byFormat.get(index + "\0" + format);
    return [{site: site.name, format, layer: site.layer, role: site.role,
             layerOrder: layers.get(site.layer), roleOrder: roles.get(site.role),
             klText: show(row?.[KL]), cellStyle: getInk(colours.get(format)),
             cellText: row?.[BITS]?.toFixed(1) ?? ""}];
  });
  const count = new Map();
  for (const row of rows) count.set(row.format, (count.get(row.format) ?? 0) + 1);
  const text = [...count].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name} at ${n}`);
  get("assignedHint").textContent = `Bits an element. Sites: ${text.join(", ")}.`;
  draw("assigned", "assigned", {rows}, `The format of each site: ${text.join(", ")}.`,
       (spec) => {
    const {color} = spec.layer[0].encoding;
    color.scale = {domain: used, range: used.map((name) => `rgb(${colours.get(name)})`)};
    if (narrow()) color.legend.columns = 1;
  });
}
