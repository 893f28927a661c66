"""The audit's pages in a real browser: axe-core finds nothing, at any width and in both colour schemes."""

import base64
import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from bot.entrypoints.html import audit_page
from bot.entrypoints.service.page import service_page
from bot.entrypoints.service.state import Audited, Ended, Ending, Running, State
from tests.conftest import Figure
from tests.entrypoints.audits import whole
from tests.lab.github.descriptions import Description, obtain
from tests.lab.need import need

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AXE: Final = Description(
    package="axe-core@4.14.1",
    integrity="sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    member="package/axe.min.js",
)
_CSP: Final = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>\n")
_RUN: Final = """
document.querySelectorAll("details").forEach((each) => { each.open = true; });
axe.run(document, { resultTypes: ["violations"] }).then((found) => {
  const beside = (each) => {
    const { left, right } = each.getBoundingClientRect();
    return (!each.closest(".scroll") && right > innerWidth + 1) || left < 0;
  };
  const wide = [...document.querySelectorAll("main *")].filter(beside).map((each) => each.outerHTML.slice(0, 80));
  const told = {
    violations: found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 120))]),
    passes: found.passes.length,
    width: innerWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    wide,
    scrolls: document.documentElement.scrollWidth > innerWidth,
  };
  parent.postMessage(JSON.stringify(told), "*");
});
"""
_FRAME: Final = """<!doctype html>
<iframe src="page.html" style="border: 0; width: {width}px; height: 1900px"></iframe>
<pre id="told"></pre>
<script>
addEventListener("message", (told) => {{
  document.getElementById("told").textContent = btoa(unescape(encodeURIComponent(told.data)));
}});
</script>
"""
"""A window of Chromium is never narrower than 500 px, a frame in it is."""
_TOLD: Final = re.compile(r'<pre id="told">([A-Za-z0-9+/=]+)</pre>')


def service(state: State) -> str:
    return service_page(state, NOON)


def serving() -> str:
    audited = Audited(at=NOON, document=whole(), decisions={"update": 2})
    last = Ended(started=NOON, ended=NOON, ending=Ending.FAILED, reason="the forge does not answer")
    return service(State(running=Running(started=NOON, moved=NOON), last=last, audited=audited))


def empty() -> str:
    lists = ("functions", "repositories", "errors", "gaps", "burn", "responsibility", "rollouts")
    nothing: dict[str, Any] = {key: [] for key in lists}
    freshness = {"security_critical": 3.0, "security_important": 7.0, "any": 30.0}
    slo = {"kept": True, "findings": 0, "freshness": freshness, "broken": []}
    return audit_page({**nothing, "slo": slo}, NOON)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "audit": lambda: audit_page(whole(), NOON),
    "an audit of nothing": empty,
    "service": serving,
    "service before its first cycle": lambda: service(State()),
}
"""The pages as they are written."""


def examined(folder: Path, page: str, width: int, *, dark: bool = False) -> dict[str, Any]:
    """Load a page in Chromium, run axe-core in it, and return what that found.

    The page lets no script run, so its policy is taken out of the copy that is examined; it has no other part in how
    the page is perceived.
    """
    chromium = need("chromium", "apt-get install chromium")
    axe = obtain(AXE).read_text(encoding="utf-8")
    copy = folder / "page.html"
    text = _CSP.sub("", page)
    assert text != page
    copy.write_text(text.replace("</body>", f"<script>{axe}</script><script>{_RUN}</script></body>"), encoding="utf-8")
    (folder / "frame.html").write_text(_FRAME.format(width=width), encoding="utf-8")
    command = [
        *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"),
        *("--window-size=1500,2000", "--virtual-time-budget=60000", "--dump-dom"),
        *(["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]),
        (folder / "frame.html").as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    told = _TOLD.search(done.stdout)
    assert told, f"axe-core told nothing: {done.stdout[-500:]} {done.stderr[-500:]}"
    found: dict[str, Any] = json.loads(base64.b64decode(told[1]))
    return found


@pytest.mark.parametrize("width", [390, 820, 1400])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_at_any_width(tmp_path: Path, figure: Figure, name: str, width: int) -> None:
    found = examined(tmp_path, PAGES[name](), width)

    assert (found["width"], found["dark"]) == (width, False)
    assert found["passes"] > 5
    figure(f"violations that axe-core finds in the page of {name} at {width} px", found["violations"], [])
    assert (found["wide"], found["scrolls"]) == ([], False)


def test_axe_finds_nothing_in_the_dark(tmp_path: Path) -> None:
    found = examined(tmp_path, PAGES["audit"](), 1400, dark=True)

    assert (found["dark"], found["violations"]) == (True, [])


def test_axe_would_find_something(tmp_path: Path) -> None:
    """What the other tests rely on: a heading without text and a colour that nobody can read are told."""
    bad = '<h2></h2><p style="color: #ddd; background: #fff">pale</p><img src="data:,"></main>'

    found = examined(tmp_path, PAGES["audit"]().replace("</main>", bad), 820)

    assert {"color-contrast", "image-alt", "empty-heading"} <= {name for name, _ in found["violations"]}
