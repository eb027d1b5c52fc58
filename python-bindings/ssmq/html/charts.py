"""The charts as Vega-Lite specifications.

They name their data (`rows`, `floor`) and their colours (the styles that page.js defines for the
light and the dark theme); the page fills both in. Axes are sorted by order fields of the rows.
"""

import altair as alt

Spec = dict

ROWS, FLOOR = alt.NamedData("rows"), alt.NamedData("floor")
KL_TITLE = "KL(p‖q), nats a token"
STEP = 24

TOOLTIP = [alt.Tooltip("site:N", title="site"), alt.Tooltip("format:N"),
           alt.Tooltip("klText:N", title="KL(p‖q)"),
           alt.Tooltip("intervalText:N", title="95 % interval"),
           alt.Tooltip("rankText:N", title="rank"), alt.Tooltip("bitsText:N", title="bits"),
           alt.Tooltip("method:N")]


def _sorted(field: str) -> alt.EncodingSortField:
    return alt.EncodingSortField(field=field, op="min", order="ascending")


LAYER = alt.X("layer:N", sort=_sorted("layerOrder"), title="layer",
              axis=alt.Axis(labelAngle=0, labelOverlap=True))
ROLE = alt.Y("role:N", sort=_sorted("roleOrder"), title=None)


def heat_map() -> Spec:
    """Layer x role; the text in a cell is KL x 1000."""
    base = alt.Chart(ROWS).encode(x=LAYER, y=ROLE, tooltip=TOOLTIP)
    legend = alt.Legend(orient="top", format=".0e", gradientThickness=10)
    above = base.mark_rect(style="cell").transform_filter("!datum.below").encode(
        color=alt.Color("kl:Q", scale=alt.Scale(type="log"), title="KL(p‖q)", legend=legend)
    ).properties(name="above")
    below = base.mark_rect(style="cellBelow").transform_filter("datum.below")
    texts = [base.mark_text(style=style).transform_filter(f"datum.cellStyle == '{style}'")
             .encode(text="cellText:N") for style in ("cellBlack", "cellWhite", "cellMuted")]
    return _finish(alt.layer(above, below, *texts), height=alt.Step(30))


def ranking(is_log: bool) -> Spec:
    """Sites from the worst to the best. Bars need a zero, so a logarithmic axis has points."""
    scale = alt.Scale(type="log") if is_log else alt.Scale(zero=True)
    base = alt.Chart(ROWS).encode(
        y=alt.Y("label:N", sort=_sorted("order"), title=None), tooltip=TOOLTIP)
    kl = alt.X("kl:Q", title=KL_TITLE, scale=scale,
               axis=alt.Axis(format="~g", orient="top", labelOverlap=True, tickCount=6))
    layers = []
    for method in ("measured", "predicted"):
        some = base.transform_filter(f"datum.method == '{method}'")
        mark = (some.mark_point(style=method + "Point") if is_log else some.mark_bar(style=method))
        layers.append(mark.encode(x=kl).properties(name=method))
    interval = base.transform_filter("isValid(datum.low)").mark_rule(style="interval")
    layers.append(interval.encode(x=alt.X("low:Q", scale=scale, title=KL_TITLE), x2="high:Q")
                  .properties(name="interval"))
    tied = base.transform_filter("isValid(datum.tiedWith)").mark_rule(style="tie")
    layers.append(tied.encode(y2="tiedWith:N", x=alt.value("width")))
    layers.append(base.mark_text(style="rank").encode(x=alt.value("width"), text="rankText:N"))
    layers.append(alt.Chart(alt.InlineData([{}])).mark_text(style="rank").encode(
        x=alt.value("width"), y=alt.value(-8), text=alt.value("rank")))
    floor = alt.Chart(FLOOR).mark_rule(style="floor").encode(
        x=alt.X("kl:Q", scale=scale, title=KL_TITLE), tooltip=alt.Tooltip("text:N"))
    return _finish(alt.layer(*layers, floor), height=alt.Step(STEP))


def curves() -> Spec:
    """KL against bits, a panel for each role and a line for each site through its best formats."""
    base = alt.Chart().encode(
        x=alt.X("bits:Q", title="bits an element", scale=alt.Scale(zero=False, nice=True),
                axis=alt.Axis(tickMinStep=1, tickCount=5, format="d")),
        y=alt.Y("kl:Q", title="KL(p‖q)", scale=alt.Scale(type="log"),
                axis=alt.Axis(format=".0e", tickCount=5)),
        tooltip=TOOLTIP)
    colour = alt.Color("depth:Q", title="layer", legend=None, scale=alt.Scale(domain=[0, 1]))
    line = base.transform_filter("datum.best").mark_line(style="curve").encode(
        detail="site:N", color=colour, order="bits:Q")
    points = [base.transform_filter(f"datum.method == '{method}'").mark_point(
        style=f"{method}Curve").encode(color=colour).properties(name=method)
        for method in ("measured", "predicted")]
    name = base.transform_filter("datum.top").mark_text(style="curveName").encode(text="layer:N")
    floor = alt.Chart().mark_rule(style="floor").encode(y=alt.Y("min(floor):Q"))
    facet = alt.layer(line, *points, name, floor).facet(
        facet=alt.Facet("role:N", title=None, sort=_sorted("roleOrder")), data=ROWS)
    return facet.properties(bounds="flush").to_dict(validate=True)


def shares(field: str) -> Spec:
    """Who holds how much of the summed KL; `rows` are (name, share, text, order)."""
    base = alt.Chart(ROWS).encode(
        y=alt.Y("name:N", sort=_sorted("order"), title=field),
        tooltip=[alt.Tooltip("name:N", title=field), alt.Tooltip("text:N", title="share")])
    bars = base.mark_bar(style="measured").encode(
        x=alt.X("share:Q", title="share of the summed KL", axis=alt.Axis(format="%", tickCount=4)))
    texts = base.mark_text(style="share").encode(x="share:Q", text="text:N")
    return _finish(alt.layer(bars, texts), height=alt.Step(STEP))


def comparison() -> Spec:
    """The KL of each site in two tables, `kl` and `other`; on the diagonal both agree."""
    scale = alt.Scale(type="log")
    base = alt.Chart(ROWS).encode(
        x=alt.X("kl:Q", scale=scale, axis=alt.Axis(format=".0e", tickCount=6)),
        y=alt.Y("other:Q", scale=scale, axis=alt.Axis(format=".0e", tickCount=6)))
    diagonal = alt.Chart(alt.NamedData("ends")).mark_line(style="diagonal").encode(
        x=alt.X("kl:Q", scale=scale), y=alt.Y("kl:Q", scale=scale))
    points = base.mark_point(style="measuredPoint").encode(tooltip=[
        alt.Tooltip("site:N"), alt.Tooltip("klText:N", title="here"),
        alt.Tooltip("otherText:N", title="there")])
    names = base.mark_text(style="pointName").encode(text="name:N")
    return alt.layer(diagonal, points, names).properties(
        width="container", height=380).to_dict(validate=True)


def assigned() -> Spec:
    """Layer x role; the text in a cell is the bits of the format that the site got."""
    base = alt.Chart(ROWS).encode(
        x=LAYER, y=ROLE,
        tooltip=[alt.Tooltip("site:N"), alt.Tooltip("format:N"),
                 alt.Tooltip("klText:N", title="KL(p‖q)")])
    cells = base.mark_rect(style="cell").encode(
        color=alt.Color("format:N", title=None,
                        legend=alt.Legend(orient="top", columns=2, labelLimit=260)))
    texts = [base.mark_text(style=style).transform_filter(f"datum.cellStyle == '{style}'")
             .encode(text="cellText:N") for style in ("cellBlack", "cellWhite")]
    return _finish(alt.layer(cells, *texts), height=alt.Step(30))


def sizes(metric: str, title: str, is_log: bool) -> Spec:
    """Whole models: `metric` against stored size, a line for each way to choose formats."""
    base = alt.Chart(ROWS).encode(
        x=alt.X("bits:Q", title="bits a weight, as stored", scale=alt.Scale(zero=False)),
        color=alt.Color("series:N", sort=_sorted("seriesOrder"), title=None,
                        legend=alt.Legend(orient="top", columns=3, labelLimit=260)))
    shape = alt.Shape("series:N", sort=_sorted("seriesOrder"), title=None,
                      legend=alt.Legend(orient="top", columns=3, labelLimit=260))
    scale = (alt.Scale(type="log", nice=False, padding=12) if is_log else
             alt.Scale(zero=False, nice=False, padding=12))
    y = alt.Y(f"{metric}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=8))
    lines = base.mark_line(style="sizes").encode(y=y, order="bits:Q")
    whiskers = base.mark_rule(style="sizesError").encode(y=alt.Y(f"{metric}Low:Q", title=title),
                                                         y2=f"{metric}High:Q")
    points = base.mark_point(style="sizesPoint").encode(y=y, shape=shape, tooltip=[
        alt.Tooltip("series:N"), alt.Tooltip("label:N"), alt.Tooltip("size:N"),
        alt.Tooltip("klText:N", title="KL(p‖q)"),
        alt.Tooltip("ratioText:N", title="perplexity, over the original's")])
    return alt.layer(lines, whiskers, points).properties(
        width="container", height=420).to_dict(validate=True)


def _finish(chart: alt.LayerChart, height: alt.Step) -> Spec:
    return chart.properties(width="container", height=height).to_dict(validate=True)


def make_all() -> dict[str, Spec]:
    return {"heat": heat_map(), "rankingLinear": ranking(False), "rankingLog": ranking(True),
            "curves": curves(), "layerShares": shares("layer"),
            "roleShares": shares("kind of site"),
            "comparison": comparison(), "assigned": assigned(),
            "klSizes": sizes("kl", KL_TITLE, is_log=True),
            "perplexitySizes": sizes("ratio", "perplexity, over the original's",
                                            is_log=False)}
