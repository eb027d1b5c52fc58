// Two tables side by side.

function drawComparison() {
  if (!get("comparison")) return;
  const other = tables[Number(get("other").value)];
  const kls = new Map(other.rows.map(
      (row) => [other.sites[row[SITE]].name + "\0" + row[FORMAT], row[KL]]));
  const rows = getViewRecords().flatMap((row) => {
    const kl = kls.get(row.site + "\0" + row.format);
    return kl > 0 && row.kl > 0 ? [{...row, other: kl, otherText: show(kl), name: ""}] : [];
  });
  // The sites furthest from agreement, in ranks that matter.
  const apart = (row) => Math.abs(Math.log(row.kl / row.other));
  rows.filter((row) => !row.below).sort((a, b) => apart(b) - apart(a)).slice(0, 4)
      .forEach((row) => { row.name = row.label; });
  const values = rows.flatMap((row) => [row.kl, row.other]);
  const ends = [Math.min(...values), Math.max(...values)].map((kl) => ({kl}));
  const what = (one) => `${one.name}, ${one.calibration} (${one.file})`;
  const tau = getTau(rows.map((row) => row.kl), rows.map((row) => row.other));
  get("comparisonHint").textContent = rows.length < 2
      ? `${what(other)} shares no two sites of ${view().title} with this table.`
      : `KL of ${rows.length} sites, ${view().title}, here and in ${what(other)}; on the line ` +
        `both agree. Kendall's tau between the rankings: ${tau.toFixed(2)}. Named: the sites ` +
        "above the noise floor that differ most.";
  draw("comparison", "comparison", {rows: rows.length < 2 ? [] : rows, ends},
       get("comparisonHint").textContent, (spec) => {
    spec.layer[1].encoding.x.title = "KL here, nats a token";
    spec.layer[1].encoding.y.title = "KL there";
  });
}

/// Kendall's tau-b.
function getTau(x, y) {
  let agree = 0, xPairs = 0, yPairs = 0;
  for (let i = 0; i < x.length; ++i) {
    for (let j = 0; j < i; ++j) {
      const a = Math.sign(x[i] - x[j]), b = Math.sign(y[i] - y[j]);
      agree += a * b;
      xPairs += a * a;
      yPairs += b * b;
    }
  }
  return agree / Math.sqrt(xPairs * yPairs);
}
