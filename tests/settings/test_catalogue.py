"""The catalogue: every runtime of the Lambda API that has an image is there, and an overlay is checked whole."""

from datetime import date
from pathlib import Path

import botocore.session
import pytest
from botocore.model import StringShape

from bot.core.errors import SettingsError
from bot.core.platforms import Platform
from bot.core.tags import lambda_image
from bot.settings import load_catalogue
from tests.conftest import Figure

SHIPPED = load_catalogue()
WITHOUT_IMAGE = {
    "nodejs": "ended before images came (December 2020)",
    "nodejs4.3": "ended before images came",
    "nodejs4.3-edge": "Lambda@Edge takes no images",
    "nodejs6.10": "ended before images came",
    "nodejs8.10": "ended before images came",
    "dotnetcore1.0": "ended before images came",
    "dotnetcore2.0": "ended before images came",
    "custom": "a customer's own runtime: its image is the customer's",
}
IMAGE_ONLY = {"dotnet5.0", "dotnet7", "dotnet9"}
"""Published as base images, never offered for .zip functions."""


def overlay(folder: Path, text: str) -> Path:
    path = folder / "runtimes.toml"
    path.write_text(text)
    return path


def test_every_runtime_of_the_lambda_api_is_known_or_has_no_image(figure: Figure) -> None:
    shape = botocore.session.get_session().get_service_model("lambda").shape_for("Runtime")
    assert isinstance(shape, StringShape)

    api, catalogue = set(shape.enum), set(SHIPPED)

    # A new one belongs in bot/settings/runtimes.toml.
    figure("runtimes of botocore that the catalogue lacks", sorted(api - catalogue - WITHOUT_IMAGE.keys()), [])
    assert WITHOUT_IMAGE.keys() <= api - catalogue
    assert catalogue - api == IMAGE_ONLY


@pytest.mark.parametrize("identifier", list(SHIPPED))
def test_each_reference_is_read_back_as_its_runtime(identifier: str) -> None:
    image = lambda_image(SHIPPED.get(identifier).reference)

    assert image is not None
    assert image.runtime == identifier
    assert image.upstream == SHIPPED.get(identifier).reference


@pytest.mark.parametrize("identifier", list(SHIPPED))
def test_the_dates_of_a_runtime_follow_each_other(identifier: str) -> None:
    runtime = SHIPPED.get(identifier)
    dates = [day for day in (runtime.deprecation, runtime.block_create, runtime.block_update) if day]

    assert dates == sorted(dates)
    assert runtime.os in ("AL1", "AL2", "AL2023")
    assert all(platform.lambda_architecture for platform in runtime.platforms)


def test_an_overlay_replaces_whole_rows(tmp_path: Path) -> None:
    path = overlay(
        tmp_path,
        '"python3.13" = { repository = "lambda/python", tag = "3.13", os = "AL2023", block_create = 2030-01-01 }\n'
        '"cobol85" = { repository = "my/cobol", tag = "85", os = "AL2", platforms = ["linux/arm64"], preview = true }',
    )

    read = load_catalogue(path)

    assert (read.get("python3.13").deprecation, read.get("python3.13").block_create) == (None, date(2030, 1, 1))
    assert str(read.get("cobol85").reference) == "public.ecr.aws/my/cobol:85"
    assert read.get("cobol85").platforms == (Platform.parse("linux/arm64"),)
    assert read.get("cobol85").preview
    assert len(read) == len(SHIPPED) + 1


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        pytest.param("a = 1", "a: is no table; write { repository = ..., tag = ..., os = ... }", id="no table"),
        pytest.param("[a]\ntag='1'\nos='AL2'", "a: repository is missing or no text; write it in quotes", id="missing"),
        pytest.param(
            "[a]\nrepository='r'\ntag='1'\nos='AL2'\ndeprecation='2029-06-30'",
            "a: deprecation is no date; write 2029-06-30 without quotes",
            id="a quoted date",
        ),
        pytest.param(
            "[a]\nrepository='r'\ntag='1'\nos='AL2'\nblock_create=2029-06-30T10:00:00",
            "a: block_create is no date; write 2029-06-30 without quotes",
            id="a moment",
        ),
        pytest.param(
            "[a]\nrepository='r'\ntag='1'\nos='AL2'\npreview='no'",
            "a: preview is neither true nor false; write it without quotes",
            id="a quoted truth value",
        ),
        pytest.param(
            "[a]\nrepository='r'\ntag='1'\nos='AL2'\nplatforms='linux/amd64'",
            'a: platforms is no list; write ["linux/amd64"]',
            id="one platform",
        ),
        pytest.param(
            "[a]\nrepository='r'\ntag='1'\nos='AL2'\nplatforms=['a/b/c/d']",
            "a: platform 'a/b/c/d' is malformed; write os/architecture, such as linux/arm64",
            id="a platform",
        ),
        pytest.param(
            "[a]\nrepository='R R'\ntag='1'\nos='AL2'",
            "a: image reference 'public.ecr.aws/R R:1' has a malformed repository",
            id="a repository",
        ),
        pytest.param("a = [" + "[" * 5000, "is nested too deep; write one row for each runtime", id="nested"),
        pytest.param("a", "is no TOML: Expected '=' after a key in a key/value pair (at end of document)", id="text"),
    ],
)  # fmt: skip
def test_a_faulty_overlay_is_told_by_file_and_row(tmp_path: Path, row: str, fault: str) -> None:
    path = overlay(tmp_path, row)

    with pytest.raises(SettingsError) as caught:
        load_catalogue(path)

    assert caught.value.faults == (f"{path}: {fault}",)


def test_all_faults_of_an_overlay_are_told_at_once(tmp_path: Path) -> None:
    path = overlay(tmp_path, "[a]\ntag = 1\ncolour = 'red'\n[b]\nrepository = 'r'\ntag = '1'\n")

    with pytest.raises(SettingsError) as caught:
        load_catalogue(path)

    assert len(caught.value.faults) == 5
