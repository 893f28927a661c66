"""HCL, the language of Terraform and Bake, as a tree.

A small reader of the native syntax (hashicorp/hcl, hclsyntax/spec.md): blocks, attributes, objects, lists, strings and
heredocs. Expressions are not evaluated: of each, the strings, lists and objects in it are kept. What does not parse is
passed over, so that one odd line does not hide the rest of a file.
"""

import re
from typing import Final, NamedTuple

from bot.core.carriers.pieces import CarrierError
from bot.core.carriers.tree import List, Mapping, Node, Scalar
from bot.core.dockerfile.source import Traced

_DEEPEST: Final = 100
_SKIP: Final = re.compile(r"(?:[ \t\r]+|#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z))+", re.DOTALL)
_WORD: Final = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)|.", re.DOTALL)
_HEREDOC: Final = re.compile(r"<<-?([A-Za-z_][\w-]*)[ \t\r]*\n")
_STRING_MARK: Final = re.compile(r'["\\{}\n]')
_CLOSING: Final = frozenset("}])")


class _Token(NamedTuple):
    """The span of a token's content; `kind` is `string`, `heredoc`, `name`, `end` or the character itself."""

    kind: str
    start: int
    stop: int


def read_hcl(text: str) -> Mapping:
    """Return the body of a file; raises `CarrierError` if it is nested too deep."""
    return _Parser(text).body(0)


class _Parser:
    """Reads by recursive descent, not deeper than a bound."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._token = self._read()

    def body(self, depth: int) -> Mapping:
        """Read blocks and attributes, or the items of an object, up to a closing brace."""
        self._refuse(depth)
        mapping = Mapping()
        while self._token.kind not in ("end", "}"):
            if self._token.kind not in ("name", "string"):
                self._expression(depth) if self._token.kind in "{[(" else self._advance()
                continue
            names = []
            while self._token.kind in ("name", "string"):
                names.append(self._content(self._advance()))
            if self._token.kind in ("=", ":"):
                self._advance()
                mapping.items.append((names[0], self._expression(depth)))
            elif self._token.kind == "{":
                self._advance()
                node: Node = self.body(depth + 1)
                self._close("}")
                for name in reversed(names[1:]):
                    node = Mapping(items=[(name, node)])
                mapping.items.append((names[0], node))
        return mapping

    def _expression(self, depth: int) -> Node:
        """Read up to the end of the line, a comma or a closing bracket; one term stands for itself."""
        terms: list[Node] = []
        while self._token.kind not in ("end", "\n", ",") and self._token.kind not in _CLOSING:
            token = self._advance()
            match token.kind:
                case "string" | "heredoc":
                    terms.append(self._scalar(token))
                case "name":
                    terms.append(Scalar(value=f"${{{self._content(token)}}}"))
                case "{":
                    terms.append(self.body(depth + 1))
                    self._close("}")
                case "[" | "(":
                    terms.append(self._list("]" if token.kind == "[" else ")", depth + 1))
                case _:
                    continue
        return terms[0] if len(terms) == 1 else List(items=terms)

    def _list(self, closing: str, depth: int) -> List:
        self._refuse(depth)
        items: list[Node] = []
        while self._token.kind not in ("end", closing):
            if self._token.kind in ("\n", ",") or self._token.kind in _CLOSING:
                self._advance()
            else:
                items.append(self._expression(depth))
        self._close(closing)
        return List(items=items)

    def _scalar(self, token: _Token) -> Scalar:
        content = Traced(self._text[token.start : token.stop], range(token.start, token.stop))
        if token.kind == "heredoc":
            return Scalar(value=content.text, block=content)
        return Scalar(value=content.text, written=None if "\\" in content.text else content)

    def _content(self, token: _Token) -> str:
        return self._text[token.start : token.stop]

    def _refuse(self, depth: int) -> None:
        if depth > _DEEPEST:
            line = self._text.count("\n", 0, self._position) + 1
            raise CarrierError(f"it is nested more than {_DEEPEST} deep", line=line)

    def _close(self, kind: str) -> None:
        if self._token.kind == kind:
            self._advance()

    def _advance(self) -> _Token:
        """Return the token and read the next one."""
        token, self._token = self._token, self._read()
        return token

    def _read(self) -> _Token:
        skipped = _SKIP.match(self._text, self._position)
        start = skipped.end() if skipped else self._position
        if heredoc := _HEREDOC.match(self._text, start):
            return self._read_heredoc(heredoc)
        if self._text.startswith('"', start):
            return self._read_string(start + 1)
        found = _WORD.match(self._text, start)
        if found is None:
            return _Token("end", start, start)
        self._position = found.end()
        return _Token("name" if found["name"] else found[0], start, found.end())

    def _read_heredoc(self, opening: re.Match[str]) -> _Token:
        """Read up to the line that holds the name alone, indented or not."""
        closing = re.compile(rf"^[ \t]*{re.escape(opening[1])}[ \t\r]*$", re.MULTILINE)
        found = closing.search(self._text, opening.end())
        stop = found.start() if found else len(self._text)
        self._position = found.end() if found else stop
        return _Token("heredoc", opening.end(), stop)

    def _read_string(self, start: int) -> _Token:
        """Read a string with the templates in it, which may hold strings again."""
        inside = ['"']
        position = start
        while mark := _STRING_MARK.search(self._text, position):
            position = mark.end()
            if inside[-1] == '"':
                if mark[0] == '"' or mark[0] == "\n":
                    inside.pop()
                elif mark[0] == "\\":
                    position += 1
                elif mark[0] == "{" and self._opens_template(mark.start()):
                    inside.append("{")
            elif mark[0] in '"{':
                inside.append(mark[0])
            elif mark[0] == "}":
                inside.pop()
            if not inside:
                self._position = position
                return _Token("string", start, mark.start())
        self._position = len(self._text)
        return _Token("string", start, len(self._text))

    def _opens_template(self, brace: int) -> bool:
        """Whether `${` or `%{` stands here; a doubled sign is a plain text."""
        sign = self._text[brace - 1 : brace]
        return sign in ("$", "%") and not self._text.startswith(sign, brace - 2)
