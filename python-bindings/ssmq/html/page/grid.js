// The table of rows, and its download.

function getColumns() {
  const columns = [
    {key: "site", title: "site", word: true, text: (row) => narrow() ? row.label : row.site},
    {key: "kind", title: "kind", word: true},
    {key: "layerOrder", title: "layer", text: (row) => row.layer},
    {key: "format", title: "format", word: true},
    {key: "bits", title: "bits", text: (row) => row.bitsText},
    {key: "bytes", title: "bytes", text: (row) => row.bytes.toLocaleString("en")},
    {key: "kl", title: "KL(p\u2016q)", text: (row) => row.klText},
    {key: "low", title: "95 % interval", text: (row) => row.intervalText},
    {key: "rank", title: "rank", text: (row) => row.rankText + (row.below ? " noise" : "")},
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
      .filter((row) => {
        const text = (row.site + " " + row.format).toLowerCase();
        return words.every((word) => text.includes(word));
      })
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
  get("count").textContent = `${rows.length} rows, ${state.every ? "all formats" : view().title}.` +
      (rows.some((row) => row.below) ? " “noise”: below the noise floor." : "");
  get("next").hidden = rows.length <= state.shown;
  get("next").textContent = `Show ${Math.min(PAGE, rows.length - state.shown)} more`;
}

/// As `ssmq export` guards them: a name that a spreadsheet would run begins with a quote.
function quoteCell(value) {
  if (value === null || value === undefined) return "";
  const isFormula = typeof value === "string" && /^[=+\-@\t\r]/.test(value);
  const text = (isFormula ? "'" : "") + value;
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
