"""A log line is one JSON object, or readable without steering the terminal; libraries' warnings are lines too."""

import io
import json
import logging

from bot.entrypoints.service.logs import libraries_log_to, open_log

HOSTILE = "acme/\x1b]0;evil\x07\n{}\u202e"


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_each_event_is_one_json_object_on_one_line() -> None:
    stream = io.StringIO()

    open_log(stream).warning("propose", subject=HOSTILE, result="failed")

    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["subject"], told["result"]) == ("propose", "warning", HOSTILE, "failed")
    assert told["timestamp"].endswith("Z")
    assert line.isprintable()


def test_a_defect_is_told_with_its_traceback() -> None:
    stream = io.StringIO()
    log = open_log(stream)

    try:
        _ = 1 / 0
    except ZeroDivisionError:
        log.exception("cycle failed")

    assert "Traceback" in json.loads(stream.getvalue())["exception"]


def test_nothing_steers_the_terminal() -> None:
    stream = Terminal()

    open_log(stream).info("propose", subject=HOSTILE)

    shown = stream.getvalue()
    assert "propose" in shown
    assert all(c.isprintable() or c == "\n" for c in shown)


def test_what_libraries_warn_of_is_logged_the_same_way() -> None:
    stream = io.StringIO()

    with libraries_log_to(open_log(stream)):
        logging.getLogger("some.library").warning("careful with %s", "that")
        logging.getLogger("some.library").info("nobody asked")
    logging.getLogger("some.library").warning("after the block")

    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["level"], line["logger"]) == ("careful with that", "warning", "some.library")
