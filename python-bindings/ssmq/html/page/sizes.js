// Whole models: quality against size.

const ALL_SERIES = "";

function fillSeries() {
  if (!get("series")) return;
  const names = [...new Set(results.points.map((point) => point.series))];
  get("series").replaceChildren(makeOption(ALL_SERIES, "all"),
                                ...names.map((name) => makeOption(name, `only ${name}`)));
  get("resultsHint").textContent = results.summary;
}

function drawSizes() {
  if (!get("series")) return;
  const chosen = get("series").value;
  const rows = results.points.filter((one) => chosen === ALL_SERIES || one.series === chosen);
  const names = [...new Set(results.points.map((one) => one.series))];
  const colours = getSeriesColours();
  for (const [id, what] of [["klSizes", "KL"], ["perplexitySizes", "Perplexity"]])
    draw(id, id, {rows}, `${what} against bits a weight of ${rows.length} models.`, (spec) => {
      const range = names.map((_, index) => colours[index % colours.length]);
      const legend = {columns: narrow() ? 1 : 3};
      for (const {encoding} of spec.layer) {
        encoding.color.scale = {domain: names, range};
        Object.assign(encoding.color.legend, legend);
      }
      // With the same domain both legends become one.
      const {shape} = spec.layer[2].encoding;
      shape.scale = {domain: names};
      Object.assign(shape.legend, legend);
    });
}
