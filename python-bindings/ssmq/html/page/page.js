// The page: head, controls, events.

function drawHead() {
  const {facts, floors, gaps} = table();
  get("facts").replaceChildren(...facts.map(([name, value]) => make(
      "div", {}, make("dt", {textContent: name}), make("dd", {textContent: value}))));
  get("floors").textContent = floors.length
      ? "Noise floor: " + floors.map((one) => `${one.name} ${show(one.kl)}`).join(", ") +
            " nats a token; charts show the largest."
      : "The table has no noise floor.";
  get("gaps").hidden = !gaps.length;
  get("gaps").textContent = `Incomplete: ${gaps.join("; ")}.`;
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

function fillOthers() {
  if (!get("other")) return;
  const others = tables.map((one, index) => makeOption(index, `${one.name}, ${one.file}`));
  get("other").replaceChildren(...others.filter((_, index) => index !== state.table));
}

function drawView() {
  get("findings").replaceChildren(
      ...view().sentences.map((text) => make("li", {textContent: text})));
  drawShares();
  drawHeat();
  drawRanking();
  drawCurves();
  drawComparison();
  drawAssigned();
  drawSizes();
  drawGrid();
}

function selectTable(index) {
  state.table = index;
  state.view = table().start;
  state.filter = "";
  state.shown = PAGE;
  fillControls();
  fillOthers();
  drawHead();
  drawView();
}

function listen(id, event, act) { get(id).addEventListener(event, act); }

get("table").replaceChildren(...tables.map((one, index) => makeOption(
    index, `${one.name}, ${one.calibration} (${one.file})`)));
get("tableControl").hidden = tables.length < 2;
listen("table", "change", (event) => selectTable(Number(event.target.value)));
get("other")?.addEventListener("change", drawComparison);
get("series")?.addEventListener("change", drawSizes);
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
fillSeries();
selectTable(0);
