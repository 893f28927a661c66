"""The loop over real servers: what moves is proposed, merged, built, deployed by digest, proven, and nothing else."""

import pytest

from bot.entrypoints.demo.fleet import MOVES
from tests.conftest import Figure
from tests.e2e.scene import MATTERING, SCENE_SERVICES, UNDEPLOYED, Ran, Scene
from tests.e2e.sources import GitHubSources

CHANGED = {s.repository for s in SCENE_SERVICES if s.base in MATTERING}
MOVING = {s.name for s in SCENE_SERVICES if s.base in MATTERING}


@pytest.fixture(params=["local", "github"])
def forge(request: pytest.FixtureRequest) -> str:
    """The same scenario on each kind of forge."""
    return str(request.param)


@pytest.mark.parametrize(
    "forgetful",
    [
        pytest.param(False, id="store kept"),
        pytest.param(True, id="store deleted between all runs", marks=pytest.mark.soak),
    ],
)
def test_a_moved_base_becomes_a_pull_request_an_image_and_an_updated_function(
    lab: Scene, forge: str, figure: Figure, *, forgetful: bool
) -> None:
    def run(*arguments: str) -> Ran:
        if forgetful:
            lab.forget()
        ran = lab.run(*arguments)
        assert ran.code == 0, ran.out + ran.err
        return ran

    how = f" ({forge}{', store deleted between all runs' if forgetful else ''})"

    # The first run: what runs is proven for all but one repository, whose base is unknown and therefore pinned.
    first = run()
    figure(f"first run: pull requests{how}", first.results("propose"), {f"acme/{UNDEPLOYED}": "opened"})
    lab.merge_all()

    # Bases move. One pull request for each repository whose base changed in content, none for the others.
    lab.publish(MOVES, after=True)
    before = lab.writes()
    dry = run("--dry-run")
    figure(f"dry run: writing requests{how}", _count(lab.writes()) - _count(before), 0)
    moved = run()
    same = moved.document["decisions"] == dry.document["decisions"]
    figure(f"dry run decides byte for byte as the run{how}", same, True)
    opened = {name: len(pulls) for name, pulls in lab.pull_requests().items()}
    wanted = {**dict.fromkeys(CHANGED, 1), f"acme/{UNDEPLOYED}": 1}
    figure(f"bases moved: pull requests by repository{how}", sorted(opened.items()), sorted(wanted.items()))

    # At once again: no writing request at any server.
    before = lab.writes()
    run()
    figure(f"at once again: writing requests{how}", _count(lab.writes()) - _count(before), 0)

    # After the merges: built, pushed, updated by digest, proven.
    served = {name: lab.image_of(name) for name in _deployed()}
    lab.merge_all()
    deployed = run()
    proven = {name for name, result in deployed.results("prove").items() if result == "proven"}
    figure(f"merged: functions proven on the new base{how}", sorted(proven), sorted(MOVING))
    changed = {name for name in _deployed() if lab.image_of(name) != served[name]}
    figure(f"merged: functions that serve another image, by digest{how}", sorted(changed), sorted(MOVING))
    assert all("@sha256:" in lab.image_of(name) for name in _deployed())
    for service in SCENE_SERVICES:
        if service.name in MOVING:
            shown = ("lineage", lab.image_of(service.name), "--config", str(lab.settings), "--format", "json")
            named = lab.writer.manifest(lab.base(service.base or "").with_tag(_tag(service.base)))
            base = lab.refrom(*shown).document["base"]
            figure(f"lineage of {service.name}{how}", base["digest"], str(named.digest))

    # Once more: nothing is left to write.
    before = lab.writes()
    run()
    figure(f"once more: writing requests{how}", _count(lab.writes()) - _count(before), 0)
    figure(f"once more: every server and repository as before{how}", lab.writes() == before, True)

    if isinstance(lab.sources, GitHubSources):
        fake = lab.sources.fake
        exchanges = sum(fake.exchanges.values())
        figure(f"violations of GitHub's descriptions in {exchanges} exchanges{how}", len(fake.violations), 0)


def test_a_hold_declared_before_survives_the_store(lab: Scene) -> None:
    lab.run()
    (lab.folder / "refrom.holds.yaml").write_text(
        "version: 1\nholds:\n  - {repository: acme/billing, reason: release freeze, until: 2027-01-31}\n"
    )
    lab.publish(MOVES, after=True)

    for _ in range(2):
        lab.forget()
        ran = lab.run()
        held = [d for d in ran.document["decisions"] if d["repository"] == "acme/billing"]
        assert [(d["decision"], "release freeze" in d["reason"]) for d in held] == [("held", True)]
        assert "acme/billing" not in lab.pull_requests()


def test_the_audit_tells_who_is_behind(lab: Scene) -> None:
    lab.run()
    lab.publish(MOVES, after=True)

    ran = lab.refrom("audit", "--config", str(lab.settings), "--format", "json")

    verdicts = {f["function"].rpartition(":")[2]: f["verdict"] for f in ran.document["functions"]}
    assert verdicts == {name: "behind" if name in MOVING else "current" for name in _deployed()}
    assert ran.code == 0, "behind, but not yet overdue"


def _count(writes: dict[str, list[str]]) -> int:
    return sum(map(len, writes.values()))


def _deployed() -> list[str]:
    return [service.name for service in SCENE_SERVICES if service.name != UNDEPLOYED]


def _tag(base: str | None) -> str:
    return next(move.before.tag for move in MOVES if move.before.name == base)
