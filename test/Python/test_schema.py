"""docs/schema describes the table that `ssmq measure` writes."""

import json
from pathlib import Path

import jsonschema
import pytest
from tables import make_predicted, make_row, make_site, make_table
from tiny import make_model, make_text

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schema" / "sensitivity-table.v3.json"


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("precision", ["0.15", "0.4"])
def test_fresh_table(run, validator, tmp_path, precision):
    table = tmp_path / "table.json"
    assert run("measure", make_model(tmp_path / "model"), "--calibration",
               make_text(tmp_path / "text.txt", 1), "-o", table, "--sequence-length", "16",
               "--formats", "int4:channel,int8:channel", "--precision", precision)[0] == 0
    document = json.loads(table.read_text())
    validator.validate(document)
    # Only a coarse table predicts sites from others.
    assert any("cut" in site for site in document["sites"]) == (precision == "0.4")
    # The schema names every field that there is.
    definitions = validator.schema["$defs"]
    for what, value in [("site", document["sites"][0]), ("row", document["rows"][0]),
                        ("estimates", document["rows"][0]["estimates"]), ("run", document["run"])]:
        assert set(value) <= set(definitions[what]["properties"]), what


def test_what_the_schema_takes(validator, tmp_path):
    def check(change):
        table = make_table(tmp_path / "table.json", [make_site("a", "state")],
                           [make_row("a", "i4 sym per_head", 8, 0.1),
                            make_predicted("a", "i8 sym per_head", 16, 0.01, 0.02)])
        document = json.loads(table.read_text())
        change(document)
        return validator.is_valid(document)

    assert check(lambda document: None)
    assert check(lambda document: document["rows"][0].update(new="field"))
    assert not check(lambda document: document.update(version=1))
    assert not check(lambda document: document.pop("noiseFloor"))
    assert not check(lambda document: document["rows"][0].update(bytes=-1))
    assert not check(lambda document: document["rows"][0].update(method="guessed"))
    assert not check(lambda document: document["sites"][0].update(kind="other"))
    assert not check(lambda document: document["rows"][1]["estimates"].update(
        forwardKL={"mean": 1, "standardError": -1}))
