"""The report as a browser shows it: from a file, without a network, light and dark, wide and
narrow."""

import csv

import pytest
from browser import Browser, find
from tables import (make_assignment, make_predicted, make_results, make_row, make_site,
                    make_table)

pytestmark = pytest.mark.skipif(not find(), reason="no Chromium: scripts/setup --tests installs it")

FORMATS = {"i4 sym per_channel": (160, 0.02), "i8 sym per_channel": (288, 1e-4)}
HOSTILE = "x.2.</script><img src=http://127.0.0.1:9/ onerror=alert(1)>:weight"
CHARTS = {"heat", "ranking", "curves", "layerShares", "roleShares", "assigned", "comparison",
          "klSizes", "perplexitySizes"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(run, tmp_path):
    """Forty sites, of which some are predicted, one without a value and one of a hostile name."""
    names = [f"x.{layer}.mixer.{role}:weight" for layer in range(13)
             for role in ("in_proj", "conv1d", "out_proj")] + [HOSTILE]
    rows = [make_row(name, format, num_bytes, kl / (1 + index)) for index, name in enumerate(names)
            for format, (num_bytes, kl) in FORMATS.items()]
    rows[4] = make_predicted(names[2], "i4 sym per_channel", 160, 0.007, 0.002)
    rows[5]["estimates"]["forwardKL"] = {"mean": None, "standardError": None}
    table = make_table(tmp_path / "table.json", [make_site(name) for name in names], rows)
    assignment = make_assignment(tmp_path / "assignment.json",
                                 dict.fromkeys(names, "i4 sym per_channel"))
    other = make_table(tmp_path / "other.json", [make_site(name) for name in names], rows[:60])
    path = tmp_path / "report.html"
    results = make_results(tmp_path / "results.json")
    assert run("report", table, other, "--assignment", assignment, "--results", results, "-o",
               path)[0] == 0
    return path


def count(browser, selector):
    return browser.evaluate(f"document.querySelectorAll({selector!r}).length")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 390])
def test_drawn(browser, page, width, dark):
    browser.open(page, width, dark=dark)
    assert browser.errors == [] and browser.requests == []
    drawn = browser.evaluate("[...document.querySelectorAll('.chart')].map(one => one.id + "
                             "(one.querySelectorAll('svg .mark-rect path, svg .mark-symbol path, "
                             "svg .mark-line path').length > 0))")
    assert set(drawn) == {f"{name}true" for name in CHARTS}
    # Nothing runs out of the page to the side.
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(14, 19, 25)" if dark else "rgb(244, 246, 249)")
    # The picture says what it shows.
    assert "the largest is x.0.mixer.in_proj:weight" in browser.evaluate(
        "document.querySelector('[aria-label^=Heat]').getAttribute('aria-label')")
    assert count(browser, "main img") == 0


CONTRASTS = """
(() => {
  const parse = (text) => text.match(/[0-9.]+/g).map(Number);
  const luminance = (text) => parse(text).slice(0, 3).map((value) => value / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
      .reduce((sum, part, channel) => sum + part * [0.2126, 0.7152, 0.0722][channel], 0);
  const getBackground = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if ((parse(colour)[3] ?? 1) > 0) return colour;
    }
  };
  const texts = "h1, h2, p, dt, dd, li, label, button, th, td, select, figcaption, " +
                "#ranking svg text, #curves svg text, #layerShares svg text";
  return [...document.querySelectorAll(texts)].filter((one) => one.getClientRects().length)
      .map((one) => {
    const style = getComputedStyle(one), isSvg = one.namespaceURI.endsWith("svg");
    const pair = [isSvg ? style.fill : style.color, getBackground(one)].map(luminance);
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    return {what: one.tagName + " " + one.textContent.slice(0, 30), contrast};
  }).filter((one) => one.contrast < 4.5);
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_readable(browser, page, dark):
    """Contrasts of WCAG 2 AA; a name for each control and picture."""
    browser.open(page, dark=dark)
    assert browser.evaluate(CONTRASTS) == []
    unnamed = browser.evaluate("""
        [...document.querySelectorAll("input, select")].filter((one) => !one.labels.length)
            .map((one) => one.id)""")
    assert unnamed == []
    names = browser.evaluate("""
        [...document.querySelectorAll("[role=graphics-document]")]
            .map((one) => one.getAttribute("aria-label"))""")
    assert len(names) == len(CHARTS) and all(names)


def test_controls(browser, page):
    browser.open(page)
    texts = ("[...document.querySelectorAll('#grid tbody td:first-child')]"
             ".map(one => one.textContent)")
    names = browser.evaluate(texts)
    assert len(names) == 40 and names[0] == "x.0.mixer.in_proj:weight" and HOSTILE in names

    def act(code):
        browser.evaluate(code)
        browser.settle()

    def choose(control, value):
        act(f"{control}.value = {value!r}; {control}.dispatchEvent(new Event('change'))")

    bars = "#ranking svg .mark-rect path"
    assert count(browser, bars) == 30
    act("document.getElementById('all').click()")
    assert count(browser, bars) == 40
    act("document.getElementById('log').click()")
    assert count(browser, bars) == 0 and count(browser, "#ranking svg .mark-symbol path") == 40
    choose("document.getElementById('sites')", "role:conv1d")
    assert len(browser.evaluate(texts)) == 13 and count(browser, "#ranking .mark-symbol path") == 13
    choose("document.getElementById('sites')", "")
    choose("document.getElementById('view')", "1")
    assert browser.evaluate("document.getElementById('count').textContent").startswith(
        "40 rows, i8 sym per_channel")
    act("document.querySelector('#grid thead button').click()")
    names = browser.evaluate(texts)
    assert names[:-1] == sorted(names[:-1])
    act("find.value = '12 conv1d'; find.dispatchEvent(new Event('input'))".replace(
        "find.", "document.getElementById('find')."))
    assert browser.evaluate(texts) == ["x.12.mixer.conv1d:weight"]
    assert "Kendall's tau between the rankings: 1.00" in browser.evaluate(
        "document.getElementById('comparisonHint').textContent")
    choose("document.getElementById('table')", "1")
    assert len(browser.evaluate(texts)) < 40
    act("document.getElementById('theme').click()")
    assert browser.evaluate("document.documentElement.dataset.theme") == "dark"
    assert browser.errors == [] and browser.requests == []


def test_download(browser, page, tmp_path):
    """The page's CSV, taken from the blob that the link names."""
    browser.open(page)
    text = browser.evaluate("""new Promise((resolve) => {
      HTMLAnchorElement.prototype.click = function () {
        fetchBlob.get(this.href).text().then(resolve);
      };
      const fetchBlob = new Map(), make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        const url = make.call(URL, blob);
        fetchBlob.set(url, blob);
        return url;
      };
      document.getElementById("csv").click();
    })""")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 40 and rows[0]["site"] == "x.0.mixer.in_proj:weight"
    assert float(rows[0]["forwardKL"]) == pytest.approx(0.02, rel=0.05)
