"""Tells the demo: the same cycle that production runs, day by day, and what it came to. Nothing is scripted output."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from bot.core.errors import SettingsError
from bot.core.outcome import Outcome, Result
from bot.core.pull_request import BRANCH
from bot.core.responsibility import Finding, Verdict
from bot.entrypoints.audit_documents import audit_document
from bot.entrypoints.demo.fleet import MOVED, MOVES, SERVICES, START
from bot.entrypoints.demo.stage import Stage
from bot.entrypoints.documents import run_document
from bot.entrypoints.html import audit_page
from bot.entrypoints.tables import say, show, show_audit, show_run
from bot.ports.forge import PullRequest
from bot.steps.audit import audit
from bot.steps.cycle import Cycle, Report
from bot.steps.inquire import Inquiry
from bot.wiring import Rehearsal, VirtualClock, open_rehearsal


def tell(console: Console, keep: Path | None = None) -> bool:
    """Play the whole loop; True only if exactly the functions that should have moved are proven on the new base."""
    story = Story(console, Stage(_folder(keep)))
    story.first_day()
    story.bases_move()
    story.pull_requests()
    story.merges()
    story.once_more()
    return story.end()


@dataclass(slots=True)
class Story:
    """One telling: the console, the stage, and what happened so far."""

    console: Console
    stage: Stage
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(START))
    outcomes: list[Outcome] = field(default_factory=list)
    opened: list[PullRequest] = field(default_factory=list)

    def first_day(self) -> None:
        """Set the stage and run a cycle in which nothing is to be done."""
        self.say("Day 1: a fleet", "Four base images, seven source repositories, six functions; all of it in files.")
        self.stage.write_settings()
        with self.open() as rehearsal:
            self.stage.build(rehearsal)
        rows = [(s.repository, s.path, s.base or "?", str(s.platform), s.shape) for s in SERVICES]
        show(self.console, "Fleet", ("repository", "Dockerfile", "base", "platform", "shape"), rows)
        self.cycle("The first cycle finds every function on the current base, and changes nothing.")

    def bases_move(self) -> None:
        """Publish what AWS would publish, weeks later."""
        self.clock.wait_until(MOVED + timedelta(hours=1))
        what = "Every tag that moves gets a new digest. Not every one matters."
        self.say("Day 20: AWS publishes new base images", what)
        with self.open() as rehearsal:
            for move in MOVES:
                if move.after:
                    self.stage.publish(rehearsal, move.after)
        rows = [(f"{m.before.name}:{m.before.tag}", m.what, "yes" if m.matters else "no") for m in MOVES]
        show(self.console, "Moves", ("base", "what really changes", "matters"), rows)

    def pull_requests(self) -> None:
        """Run a cycle that opens pull requests, and show one as its reader sees it."""
        report = self.cycle("The next cycle judges the contents and opens pull requests where they matter.")
        opened = [o.subject for o in report.outcomes if o.result is Result.OPENED]
        with self.open() as rehearsal:
            self.opened = [p for name in opened for p in rehearsal.forge.pull_requests(name, BRANCH)]
        first = self.opened[0]
        body = Panel(Markdown(first.body), title=Text(f"#{first.number} {first.title}"), subtitle=Text(first.url))
        self.console.print(body)

    def merges(self) -> None:
        """Let people merge; the next cycle rebuilds, redeploys and proves."""
        self.clock.advance(timedelta(hours=2))
        names = ", ".join(pull_request.repository for pull_request in self.opened)
        self.say("Day 20, later: people merge", f"Merged in {names}.")
        with self.open() as rehearsal:
            for pull_request in self.opened:
                rehearsal.forge.merge(pull_request.repository, pull_request.number)
        self.cycle("The next cycle swaps the base layers, updates the functions by digest and proves what runs.")

    def once_more(self) -> None:
        """Show that a cycle over a finished fleet does nothing."""
        self.clock.advance(timedelta(hours=1))
        self.cycle("Once more: nothing is left to do.")

    def end(self) -> bool:
        """Audit, write the page, and compare what runs with what should run."""
        with self.open() as rehearsal:
            found = audit(Inquiry(rehearsal.workshop.world, rehearsal.workshop.rules), self.clock.now())
        document = audit_document(found)
        show_audit(self.console, document)
        page = self.stage.folder / "audit.html"
        page.write_text(audit_page(document, self.clock.now()), encoding="utf-8")
        say(self.console, f"The same as a page: {page}")
        good = self.as_it_should_be(found.findings)
        verdict = "Every function that should have moved is proven on the new base, and no other moved."
        fault = "The fleet is not where it should be; this is a defect of refrom."
        say(self.console, verdict if good else fault, "bold green" if good else "bold red")
        return good

    def as_it_should_be(self, findings: tuple[Finding, ...]) -> bool:
        """Compare what was changed and what is proven with what the moves call for."""
        mattering = {move.before.name for move in MOVES if move.matters}
        expected = {service.name for service in SERVICES if service.base in mattering}
        moved = {outcome.subject for outcome in self.outcomes if outcome.result is Result.UPDATED}
        proven = {outcome.subject for outcome in self.outcomes if outcome.result is Result.PROVEN}
        return (
            expected == moved == proven
            and len(findings) == sum(1 for service in SERVICES if service.base)
            and all(finding.verdict is Verdict.CURRENT for finding in findings)
        )

    def cycle(self, what: str) -> Report:
        """Run the cycle of production over the settings on disk, and show what it decided and did."""
        self.say(f"refrom run, {self.clock.now():%Y-%m-%d %H:%M} UTC", what)
        with self.open() as rehearsal:
            report = Cycle(rehearsal.workshop.world, rehearsal.workshop.rules).run(rehearsal.workshop.engine)
        self.outcomes += report.outcomes
        show_run(self.console, run_document(report, dry_run=False))
        return report

    def say(self, title: str, text: str) -> None:
        """Head a chapter."""
        self.console.print()
        self.console.rule(Text(title, style="bold"))
        say(self.console, text)

    def open(self) -> AbstractContextManager[Rehearsal]:
        """Open the settings as any command does."""
        return open_rehearsal(self.stage.settings, self.clock)


def _folder(keep: Path | None) -> Path:
    """A new temporary folder, left behind for its reader, or the one that is named, which must be empty."""
    if keep is None:
        return Path(mkdtemp(prefix="refrom-demo-"))
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise SettingsError([f"{keep}: cannot be made ({fault.strerror}); name a new folder for the demo"]) from fault
    if any(keep.iterdir()):
        raise SettingsError([f"{keep}: is not empty; name a new folder for the demo"])
    return keep.resolve()
