"""A folder of bare repositories is looked at, and nothing in it is touched."""

from pathlib import Path
from tempfile import TemporaryDirectory

from git import Repo

from bot.adapters.forge.local_examination import LocalExamination
from bot.ports.examination import State
from tests.lab.rights import as_nobody


def test_repositories_that_can_be_written_are_counted(tmp_path: Path) -> None:
    for name in ("acme/orders.git", "acme/billing.git", "other/shop.git"):
        Repo.init(tmp_path / name, bare=True, mkdir=True).close()

    access, write = LocalExamination(tmp_path).examine()

    assert (access.state, access.message) == (State.OK, "3 bare repositories")
    assert (write.state, write.message) == (State.OK, "can be written")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    (access,) = LocalExamination(tmp_path / "gone").examine()

    assert access.state is State.FAILED
    assert access.message == f"the folder of repositories {tmp_path}/gone is not there"
    assert access.cure == "create it, or name another"


def test_a_repository_that_cannot_be_written_is_told() -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "acme" / "orders.git"
        Repo.init(path, bare=True, mkdir=True).close()
        Path(name).chmod(0o755)
        path.chmod(0o555)

        with as_nobody():
            access, write = LocalExamination(Path(name)).examine()

    assert (access.state, write.state) == (State.OK, State.FAILED)
    assert write.message == f"{path} cannot be written"
    assert write.cure == "make it writable for the user that refrom runs as"
