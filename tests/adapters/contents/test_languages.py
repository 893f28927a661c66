"""Language versions, read off the files that the languages themselves install."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bot.adapters.contents.languages import is_witness, program_scan, read_language
from bot.core.layer import Language
from tests.adapters.contents.tars import Item, Shelf

PATCHLEVEL = b"""\
/*--start constants--*/
#define PY_MAJOR_VERSION        3
#define PY_MINOR_VERSION        13
#define PY_MICRO_VERSION        9

/* Version as a string */
#define PY_VERSION              "3.13.9"
"""
NODE_VERSION = b"""\
#ifndef SRC_NODE_VERSION_H_
#define NODE_MAJOR_VERSION 22
#define NODE_MINOR_VERSION 21
#define NODE_PATCH_VERSION 1

#define NODE_VERSION_IS_LTS 1
"""
CORRETTO = b"""\
IMPLEMENTOR="Amazon.com Inc."
IMPLEMENTOR_VERSION="Corretto-21.0.9.11.1"
JAVA_RUNTIME_VERSION="21.0.9+11-LTS"
JAVA_VERSION="21.0.9"
JAVA_VERSION_DATE="2025-10-21"
"""
RBCONFIG = b"""\
module RbConfig
  RUBY_VERSION.start_with?("3.4.") or raise "ruby lib version (3.4.5) doesn't match"
  CONFIG = {}
  CONFIG["MAJOR"] = "3"
  CONFIG["MINOR"] = "4"
  CONFIG["TEENY"] = "5"
  CONFIG["PATCHLEVEL"] = "51"
"""
PYTHON_H, NODE_H = "var/lang/include/python3.13/patchlevel.h", "var/lang/include/node/node_version.h"
RUBY_RB = "var/lang/lib/ruby/3.4.0/x86_64-linux/rbconfig.rb"
APP = "var/lang/bin/shared/Microsoft.NETCore.App"


@pytest.mark.parametrize(
    ("path", "content", "language"),
    [
        pytest.param(PYTHON_H, PATCHLEVEL, Language("python", "3.13.9"), id="python"),
        pytest.param(
            PYTHON_H, PATCHLEVEL.replace(b"3.13.9", b"3.13.0rc1+"), Language("python", "3.13.0rc1+"), id="candidate"
        ),
        pytest.param(NODE_H, NODE_VERSION, Language("node", "22.21.1"), id="node"),
        pytest.param("var/lang/release", CORRETTO, Language("java", "21.0.9.11.1"), id="corretto"),
        pytest.param("var/lang/release", b'JAVA_VERSION="1.8.0_472"\n', Language("java", "1.8.0_472"), id="java 8"),
        pytest.param(RUBY_RB, RBCONFIG, Language("ruby", "3.4.5"), id="ruby"),
        pytest.param(f"{APP}/8.0.10/System.dll", b"", Language("dotnet", "8.0.10"), id="dotnet"),
    ],
)
def test_each_language_is_known_by_its_own_files(shelf: Shelf, path: str, content: bytes, language: Language) -> None:
    assert shelf.layer(Item(path, content)).language == language


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("usr/include/python3.13/patchlevel.h", PATCHLEVEL, id="not below /var/lang"),
        pytest.param("var/task/var/lang/release", CORRETTO, id="a function's own"),
        pytest.param(PYTHON_H, b'#define PY_VERSION "\x1b[2J"\n', id="no version"),
        pytest.param(PYTHON_H, b'/* #define PY_VERSION "3.13.9" */\n', id="in a comment"),
        pytest.param(NODE_H, NODE_VERSION.replace(b"MINOR", b"MINUS"), id="node, in part"),
        pytest.param(f"{APP}/current/System.dll", b"", id="dotnet, no version"),
    ],
)
def test_where_nothing_tells_the_version_it_is_unknown(shelf: Shelf, path: str, content: bytes) -> None:
    assert shelf.layer(Item(path, content)).language is None


def test_the_newest_of_several_dotnet_versions_counts() -> None:
    paths = [f"{APP}/{version}/a.dll" for version in ("8.0.9", "8.0.10", "8.0.2")]

    assert read_language({}, (), paths) == Language("dotnet", "8.0.10")


def test_a_header_counts_before_a_program(shelf: Shelf) -> None:
    layer = shelf.layer(Item("var/lang/bin/python3.13", b"\x003.13.1\0"), Item(PYTHON_H, PATCHLEVEL))

    assert layer.language == Language("python", "3.13.9")


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_version_is_found_across_two_pieces(cut: int) -> None:
    program = b"\x7fELF" + bytes(1000) + b"node.js/v22.21.1\0" + bytes(1000)
    scan = program_scan("var/lang/bin/node")
    assert scan is not None

    for piece in (program[: 1003 + cut], program[1003 + cut :]):
        scan.feed(piece)

    assert scan.language == Language("node", "22.21.1")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("var/lang/bin/python3.13", b"3.12.9\0", id="another line's number"),
        pytest.param("var/lang/bin/python3.13", b"3.13.9", id="no end"),
        pytest.param("var/lang/bin/node", b"/v22.21.1\0", id="a bare number"),
    ],
)
def test_a_number_that_is_not_the_programs_version_is_passed_over(path: str, content: bytes) -> None:
    scan = program_scan(path)
    assert scan is not None

    scan.feed(content)

    assert scan.language is None


def test_the_header_of_this_python_tells_its_version() -> None:
    header = Path(sysconfig.get_path("include"), "patchlevel.h")
    if not header.is_file():
        pytest.skip(f"this Python has no {header}; install its headers")
    path = f"var/lang/include/python3.{sys.version_info.minor}/patchlevel.h"

    language = read_language({path: header.read_bytes()}, (), ())

    assert is_witness(path)
    assert language == Language("python", sys.version.split()[0])


def test_the_program_of_this_python_tells_its_version() -> None:
    line = f"3.{sys.version_info.minor}"
    library = Path(sysconfig.get_config_var("LIBDIR") or "", f"libpython{line}.so.1.0")
    program = library if library.is_file() else Path(sys.executable).resolve()
    scan = program_scan(f"var/lang/bin/python{line}")
    assert scan is not None

    scan.feed(program.read_bytes())

    assert scan.language == Language("python", sys.version.split()[0])


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; apt-get install nodejs")
def test_the_program_of_a_real_node_tells_its_version() -> None:
    answer = subprocess.run(
        ["node", "-p", "process.execPath + ' ' + process.versions.node"], check=True, capture_output=True
    )
    program, version = answer.stdout.decode().split()
    scan = program_scan("var/lang/bin/node")
    assert scan is not None

    scan.feed(Path(program).read_bytes())

    assert scan.language == Language("node", version)
