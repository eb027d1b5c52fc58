"""What `ssmq measure` prints of a table, kind by kind."""

import json

import tables
from ssmq.tables import summarize_formats


def test_summary(tmp_path):
    sites = [tables.make_site("a"), tables.make_site("b"), tables.make_site("n", "norm", rows=4),
             tables.make_site("s", "state")]
    rows = [tables.make_row("a", "i4", 100, 3.0), tables.make_predicted("b", "i4", 50, 1.0, 0.1),
            tables.make_row("a", "i8", 200, 0.5), tables.make_row("s", "i8", 999, 0.7)]
    # The sums have a spread; predicted values stand as they are.
    kl = {row["site"] + row["format"]: row["estimates"]["forwardKL"]["mean"] for row in rows}
    path = tables.make_table(tmp_path / "table.json", sites, rows)
    document = json.loads(path.read_text())
    document["model"]["fixedBytes"] = 256
    path.write_text(json.dumps(document))
    table = summarize_formats(path)
    assert table.columns == ["format", "kind", "sites", "bits/weight", "predicted KL"]
    # A thousand parameters; the norm's 256 bytes are in what no weight holds, the state is not.
    assert table.rows == [["i4", "weight", "2", f"{8 * (150 + 256) / 1000:.2f}",
                           f"{kl['ai4'] + 1:.2e}"],
                          ["i8", "state", "1", "", f"{kl['si8']:.2e}"],
                          ["i8", "weight", "1", "", f"{kl['ai8']:.2e}"]]


def test_weights_alone(tmp_path):
    table = summarize_formats(tables.make_table(tmp_path / "table.json", [tables.make_site("a")],
                                                [tables.make_row("a", "i4", 100, 3.0)]))
    assert table.columns == ["format", "sites", "bits/weight", "predicted KL"]
