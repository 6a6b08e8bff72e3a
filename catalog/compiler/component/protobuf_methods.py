"""Methods of the services in a Protocol Buffers file. Called by ``endpoint_schema``.

Reads as much of the language (proto2, proto3, editions) as finding services takes: statements, nested types, and
whether the types of methods exist. Only the standard ``google/protobuf`` files can be imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalog.compiler.documents import Document
from catalog.compiler.errors import CompilerError

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>\.?[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
    |(?P<number>\.?\d(?:[\w.]|[eE][+-])*)
    |(?P<symbol>[{}()\[\]<>=;,:+\-./])""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"{": "}", "[": "]", "(": ")", "<": ">"}
_STANDARD_TYPES = {
    "google/protobuf/any.proto": "Any",
    "google/protobuf/api.proto": "Api Method Mixin",
    "google/protobuf/duration.proto": "Duration",
    "google/protobuf/empty.proto": "Empty",
    "google/protobuf/field_mask.proto": "FieldMask",
    "google/protobuf/source_context.proto": "SourceContext",
    "google/protobuf/struct.proto": "Struct Value ListValue",
    "google/protobuf/timestamp.proto": "Timestamp",
    "google/protobuf/type.proto": "Type Field Enum EnumValue Option",
    "google/protobuf/wrappers.proto": (
        "DoubleValue FloatValue Int64Value UInt64Value Int32Value UInt32Value BoolValue StringValue BytesValue"
    ),
    "google/protobuf/descriptor.proto": "FileDescriptorSet FileDescriptorProto DescriptorProto FieldDescriptorProto",
    "google/protobuf/compiler/plugin.proto": "",
    "google/protobuf/cpp_features.proto": "",
    "google/protobuf/go_features.proto": "",
    "google/protobuf/java_features.proto": "",
}


def protobuf_methods(content: str) -> list[Document]:
    """Return ``{kind: gRPC, service, method}`` of each method, services by full name. Raises ``CompilerError``."""
    source = _File(content)
    for method_types, service in source.method_types:
        for name in method_types:
            if not source.is_message(name, service):
                raise CompilerError(f"compile proto source: unknown message type {name}")
    return [{"kind": "gRPC", "service": service, "method": method} for service, method in source.methods]


class _File:
    """One parse of a file: a cursor over its tokens, and what was found."""

    def __init__(self, content: str) -> None:
        self._tokens = list(_tokens(content))
        self._position = 0
        self.package = ""
        self.messages: set[str] = set()
        self.methods: list[tuple[str, str]] = []
        self.method_types: list[tuple[tuple[str, str], str]] = []
        while self._position < len(self._tokens):
            self._statement()

    def is_message(self, name: str, scope: str) -> bool:
        """Tell whether a type name means a known message, seen from a scope: the innermost one first."""
        if name.startswith("."):
            return name[1:] in self.messages
        while True:
            if (f"{scope}.{name}" if scope else name) in self.messages:
                return True
            if not scope:
                return False
            scope = scope.rpartition(".")[0]

    def _statement(self) -> None:
        keyword = self._next()
        if keyword == ";":
            return
        if keyword == "import":
            self._import()
        elif keyword == "package":
            self.package = self._next()
            self._expect(";")
        elif keyword == "message":
            self._message(self.package)
        elif keyword == "service":
            self._service()
        elif keyword in ("enum", "extend"):
            self._next()
            self._expect("{")
            self._skip_block("{")
        elif keyword in ("syntax", "edition", "option"):
            self._skip_statement()
        else:
            raise CompilerError(f"compile proto source: syntax error: unexpected {keyword}")

    def _import(self) -> None:
        path = self._next()
        if path in ("public", "weak"):
            path = self._next()
        path = path[1:-1]
        if path not in _STANDARD_TYPES:
            raise CompilerError(f"compile proto source: import {path} not found")
        self.messages.update(f"google.protobuf.{name}" for name in _STANDARD_TYPES[path].split())
        self._expect(";")

    def _message(self, scope: str) -> None:
        name = self._next()
        full_name = f"{scope}.{name}" if scope else name
        self.messages.add(full_name)
        self._expect("{")
        while (word := self._next()) != "}":
            if word == "message" and self._tokens[self._position + 1 : self._position + 2] == ["{"]:
                self._message(full_name)  # otherwise it is a field of that name
            elif word in _CLOSING:
                self._skip_block(word)

    def _service(self) -> None:
        name = self._next()
        service = f"{self.package}.{name}" if self.package else name
        self._expect("{")
        while (word := self._next()) != "}":
            if word == "rpc":
                self._method(service)
            elif word == "option":
                self._skip_statement()
            elif word != ";":
                raise CompilerError(f"compile proto source: syntax error: unexpected {word} in a service")

    def _method(self, service: str) -> None:
        self.methods.append((service, self._next()))
        request = self._method_type()
        self._expect("returns")
        self.method_types.append(((request, self._method_type()), service))
        word = self._next()
        if word == "{":
            self._skip_block("{")
        elif word != ";":
            raise CompilerError(f"compile proto source: syntax error: unexpected {word} after a method")

    def _method_type(self) -> str:
        self._expect("(")
        name = self._next()
        if name == "stream" and self._tokens[self._position : self._position + 1] != [")"]:
            name = self._next()
        self._expect(")")
        return name

    def _skip_statement(self) -> None:
        while (word := self._next()) != ";":
            if word in _CLOSING:
                self._skip_block(word)

    def _skip_block(self, opening: str) -> None:
        open_brackets = [opening]
        while open_brackets:
            word = self._next()
            if word in _CLOSING:
                open_brackets.append(word)
            elif word == _CLOSING[open_brackets[-1]]:
                open_brackets.pop()
            elif word in _CLOSING.values():
                raise CompilerError(f"compile proto source: syntax error: unexpected {word}")

    def _next(self) -> str:
        if self._position >= len(self._tokens):
            raise CompilerError("compile proto source: syntax error: unexpected end of file")
        self._position += 1
        return self._tokens[self._position - 1]

    def _expect(self, wanted: str) -> None:
        if (word := self._next()) != wanted:
            raise CompilerError(f"compile proto source: syntax error: unexpected {word}, expecting {wanted}")


def _tokens(content: str) -> Iterator[str]:
    position = 0
    while position < len(content):
        match = _TOKEN.match(content, position)
        if match is None:
            raise CompilerError(f"compile proto source: syntax error: invalid character {content[position]!r}")
        position = match.end()
        if match.lastgroup == "name":
            yield re.sub(r"\s", "", match.group())
        elif match.lastgroup != "space":
            yield match.group()
