"""From tokens to a syntax tree, macros expanded. A Pratt parser: operators bind by the numbers in ``_BINARY``.

Faults that leave the structure clear (a bad literal, a wrong macro argument, a reserved name) are collected; a syntax
fault ends the parsing.
"""

from __future__ import annotations

from typing import Final, NoReturn

from catalog.compiler.cel import lexer
from catalog.compiler.cel.lexer import Token
from catalog.compiler.cel.macros import MacroCall, MacroError, Macros, find_macro
from catalog.compiler.cel.nodes import Call, Entry, Ident, ListNode, Literal, MapNode, Message, Node, Select
from catalog.compiler.cel.source import Faults
from catalog.compiler.cel.unescape import UnescapeError, unescape_bytes, unescape_string
from catalog.compiler.cel.values import INT_MAX, INT_MIN, UINT_MAX, UInt

MAX_CODE_POINTS: Final = 100_000
MAX_DEPTH: Final = 250

RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_TERNARY: Final = 1
_BINARY: Final = {
    "||": (2, "_||_"),
    "&&": (3, "_&&_"),
    "<": (4, "_<_"),
    "<=": (4, "_<=_"),
    ">": (4, "_>_"),
    ">=": (4, "_>=_"),
    "==": (4, "_==_"),
    "!=": (4, "_!=_"),
    "in": (4, "@in"),
    "+": (5, "_+_"),
    "-": (5, "_-_"),
    "*": (6, "_*_"),
    "/": (6, "_/_"),
    "%": (6, "_%_"),
}
# What messages say may stand where an expression starts.
_LITERAL_STARTS: Final = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
_EXPRESSION_START: Final = "{'[', '{', '(', '.', '-', '!', " + _LITERAL_STARTS
_ARGUMENT_START: Final = "{'[', '{', '(', ')', '.', '-', '!', " + _LITERAL_STARTS
_ITEM_START: Final = "{'[', ']', '{', '(', '.', ',', '-', '!', '?', " + _LITERAL_STARTS
_ENTRY_START: Final = "{'[', '{', '}', '(', '.', ',', '-', '!', '?', " + _LITERAL_STARTS
_STARTS: Final = frozenset(
    {"[", "{", "(", ".", "-", "!", "true", "false", "null", lexer.FLOAT, lexer.INT, lexer.UINT, lexer.STRING,
     lexer.BYTES, lexer.IDENTIFIER}
)  # fmt: skip
_MANY_DIGITS: Final = 1000
_KEYWORDS: Final = frozenset({"true", "false", "null", "in"})


class _SyntaxFault(Exception):
    """Parsing cannot go on; the fault is already reported."""


def parse(source: str, macros: Macros, *, optional_syntax: bool = True) -> Node:
    """Parse an expression. Raises ``CelCompileError`` with everything found wrong."""
    faults = Faults(source)
    if len(source) > MAX_CODE_POINTS:
        faults.report(-1, f"expression code point size exceeds limit: size: {len(source)}, limit {MAX_CODE_POINTS}")
        faults.raise_if_any()
    parser = _Parser(lexer.tokenize(source, faults), faults, macros, optional_syntax)
    try:
        node = parser.whole()
    except _SyntaxFault:
        faults.raise_if_any()
        raise
    except RecursionError:
        faults.report(-1, f"expression recursion limit exceeded: {MAX_DEPTH}")
        faults.raise_if_any()
        raise
    faults.raise_if_any()
    return node


class _Parser:
    def __init__(self, tokens: list[Token], faults: Faults, macros: Macros, optional_syntax: bool) -> None:
        self._tokens = tokens
        self._position = 0
        self._faults = faults
        self._macros = macros
        self._optional_syntax = optional_syntax
        self._depth = 0
        self._calls = 0

    def whole(self) -> Node:
        node = self._expression()
        token = self._token()
        if token.kind != lexer.END:
            following = self._tokens[self._position + 1].kind
            self._fail_at(token, "extraneous" if following == lexer.END else "mismatched", "<EOF>")
        return node

    # --- tokens

    def _token(self) -> Token:
        return self._tokens[self._position]

    def _accept(self, kind: str) -> Token | None:
        token = self._tokens[self._position]
        if token.kind != kind:
            return None
        self._position += 1
        return token

    def _expect(self, kind: str, expected: str | None = None) -> Token:
        token = self._accept(kind)
        if token is not None:
            return token
        wanted = expected or f"'{kind}'"
        self._skip_extraneous(frozenset({kind}), wanted)
        self._position += 1
        return self._tokens[self._position - 1]

    def _skip_extraneous(self, kinds: frozenset[str], expected: str) -> None:
        """Report what stands here; go on when only one token is too many, else give up."""
        token = self._token()
        if token.kind == lexer.END or self._tokens[self._position + 1].kind not in kinds:
            self._fail_at(token, "mismatched", expected)
        self._report(token, "extraneous", expected)
        self._position += 1

    def _expect_start(self, expected: str) -> None:
        """Check that an expression starts here, where something else might stand as well."""
        if self._token().kind not in _STARTS:
            self._skip_extraneous(_STARTS, expected)

    def _fail_at(self, token: Token, how: str, expected: str) -> NoReturn:
        self._report(token, how, expected)
        raise _SyntaxFault

    def _report(self, token: Token, how: str, expected: str) -> None:
        shown = token.text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
        self._faults.report(token.offset, f"Syntax error: {how} input '{shown}' expecting {expected}")

    # --- operators

    def _expression(self, binding: int = _TERNARY) -> Node:
        """Parse operators that bind at least as tightly as ``binding``."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._faults.report(-1, f"expression recursion limit exceeded: {MAX_DEPTH}")
            raise _SyntaxFault
        node = self._operand()
        chain, chain_function = 0, ""
        while True:
            token = self._tokens[self._position]
            entry = _BINARY.get(token.kind)
            if entry is None or entry[0] < binding:
                break
            power, function = entry
            self._position += 1
            if power > 3:  # a chain of && or || is one call, however long
                chain += 1
                if chain > MAX_DEPTH:
                    self._faults.report(-1, "max recursion depth exceeded")
                    raise _SyntaxFault
            operand = self._expression(power + 1)
            if power <= 3 and chain_function == function and isinstance(node, Call):
                node.args.append(operand)
            else:
                node = Call(token.offset, function, [node, operand])
            chain_function = function
        if binding <= _TERNARY:
            question = self._accept("?")
            if question is not None:
                accepted = self._expression(_TERNARY + 1)
                self._expect(":")
                node = Call(question.offset, "_?_:_", [node, accepted, self._expression()])
        self._depth -= 1
        return node

    def _operand(self) -> Node:
        token = self._tokens[self._position]
        if token.kind == "!":
            return self._repeated(token, "!_")
        if token.kind == "-" and self._tokens[self._position + 1].kind not in (lexer.INT, lexer.FLOAT):
            return self._repeated(token, "-_")
        return self._member()

    def _repeated(self, token: Token, function: str) -> Node:
        """A run of one unary operator: pairs cancel out."""
        count = 0
        while self._accept(token.kind):
            count += 1
        operand = self._member()
        return Call(token.offset, function, [operand]) if count % 2 else operand

    def _member(self) -> Node:
        """Parse an operand without operators before it, but for the sign of a number."""
        token = self._tokens[self._position]
        if token.kind == "-" and self._tokens[self._position + 1].kind in (lexer.INT, lexer.FLOAT):
            self._position += 2
            return self._members(self._number(self._tokens[self._position - 1], token.offset, "-"))
        return self._members(self._primary())

    # --- members

    def _members(self, node: Node) -> Node:
        chain = 0
        while True:
            chain += 1
            if chain > MAX_DEPTH:
                self._faults.report(-1, "max recursion depth exceeded")
                raise _SyntaxFault
            if (dot := self._accept(".")) is not None:
                node = self._select(node, dot)
            elif (bracket := self._accept("[")) is not None:
                node = self._index(node, bracket)
            else:
                return node

    def _select(self, node: Node, dot: Token) -> Node:
        optional = self._accept("?")
        if optional is not None and not self._optional_syntax:
            self._faults.report(dot.offset, "unsupported syntax '.?'")
        token = self._token()
        if token.kind == lexer.ESCAPED_IDENTIFIER:
            self._position += 1
            return Select(dot.offset, node, token.text[1:-1], optional=optional is not None)
        if token.kind != lexer.IDENTIFIER:
            if token.kind in _KEYWORDS:
                self._fail_at(token, "mismatched", "IDENTIFIER")
            self._faults.report(token.offset, f"Syntax error: no viable alternative at input '.{_end_free(token)}'")
            raise _SyntaxFault
        self._position += 1
        if optional is not None:
            return Select(dot.offset, node, token.text, optional=True)
        parenthesis = self._accept("(")
        if parenthesis is None:
            return Select(dot.offset, node, token.text)
        return self._call(parenthesis, token.text, node)

    def _index(self, node: Node, bracket: Token) -> Node:
        optional = self._accept("?")
        if optional is not None and not self._optional_syntax:
            self._faults.report(bracket.offset, "unsupported syntax '[?'")
        index = self._expression()
        self._expect("]")
        return Call(bracket.offset, "_[?_]" if optional else "_[_]", [node, index])

    def _call(self, parenthesis: Token, name: str, receiver: Node | None) -> Node:
        args: list[Node] = []
        if self._accept(")") is None:
            self._expect_start(_ARGUMENT_START)
            args.append(self._expression())
            while self._accept(","):
                args.append(self._expression())
            self._expect(")")
        call = MacroCall(parenthesis.offset, name, receiver, args)
        macro = find_macro(self._macros, call)
        if macro is not None:
            try:
                node = macro(call)
            except MacroError as error:
                self._faults.report(error.offset, str(error))
                node = Literal(error.offset, None)
            if node is not None:
                return node
        return Call(parenthesis.offset, name, args, receiver)

    # --- primaries

    def _primary(self) -> Node:
        token = self._tokens[self._position]
        kind = token.kind
        self._position += 1
        if kind == lexer.IDENTIFIER:
            return self._name(token, token)
        if kind == lexer.STRING:
            return Literal(token.offset, self._text(token))
        if kind in (lexer.INT, lexer.FLOAT, lexer.UINT):
            return self._number(token, token.offset)
        if kind == "(":
            node = self._expression()
            self._expect(")")
            return node
        if kind == "[":
            return self._list(token)
        if kind == "{":
            return self._map(token)
        if kind in ("true", "false"):
            return Literal(token.offset, kind == "true")
        if kind == "null":
            return Literal(token.offset, None)
        if kind == lexer.BYTES:
            return Literal(token.offset, self._bytes(token))
        if kind == ".":
            name = self._expect(lexer.IDENTIFIER, "IDENTIFIER")
            return self._name(name, token, leading_dot=True)
        self._position -= 1
        self._skip_extraneous(_STARTS, _EXPRESSION_START)
        return self._primary()

    def _name(self, token: Token, first: Token, *, leading_dot: bool = False) -> Node:
        name = "." + token.text if leading_dot else token.text
        message = self._message(first, name)
        if message is not None:
            return message
        if token.text in RESERVED:
            self._faults.report(first.offset, f"reserved identifier: {token.text}")
            name = "_"
        parenthesis = self._accept("(")
        if parenthesis is not None:
            return self._call(parenthesis, name, None)
        return Ident(token.offset, name)

    def _message(self, first: Token, name: str) -> Node | None:
        """``a.b.Name{…}``, when that is what stands here."""
        ahead = self._position
        tokens = self._tokens
        while tokens[ahead].kind == "." and tokens[ahead + 1].kind == lexer.IDENTIFIER:
            name += "." + tokens[ahead + 1].text
            ahead += 2
        if tokens[ahead].kind != "{":
            return None
        self._position = ahead + 1
        brace = tokens[ahead]
        if self._accept("}") is None:
            while True:
                self._accept("?")
                if self._accept(lexer.ESCAPED_IDENTIFIER) is None:
                    self._expect(lexer.IDENTIFIER, "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}")
                self._expect(":")
                self._expression()
                if self._accept(",") is None or self._token().kind == "}":
                    break
            self._expect("}", "{'}', ','}")
        return Message(brace.offset, name)

    def _list(self, bracket: Token) -> Node:
        items: list[Node] = []
        optional: set[int] = set()
        self._accept_lone_comma("]")
        if self._token().kind not in ("]", "?"):
            self._expect_start(_ITEM_START)
        while self._accept("]") is None:
            question = self._accept("?")
            if question is not None:
                if not self._optional_syntax:
                    self._faults.report(question.offset, "unsupported syntax '?'")
                optional.add(len(items))
            items.append(self._expression())
            if self._accept(",") is None:
                self._expect("]", "{']', ','}")
                break
        return ListNode(bracket.offset, items, frozenset(optional))

    def _map(self, brace: Token) -> Node:
        entries: list[Entry] = []
        self._accept_lone_comma("}")
        if self._token().kind not in ("}", "?"):
            self._expect_start(_ENTRY_START)
        while self._accept("}") is None:
            question = self._accept("?")
            if question is not None and not self._optional_syntax:
                self._faults.report(question.offset, "unsupported syntax '?'")
            key = self._expression()
            self._expect(":")
            entries.append(Entry(key, self._expression(), question is not None))
            if self._accept(",") is None:
                self._expect("}", "{'}', ','}")
                break
        return MapNode(brace.offset, entries)

    def _accept_lone_comma(self, closing: str) -> None:
        if self._token().kind == "," and self._tokens[self._position + 1].kind == closing:
            self._position += 1

    # --- literals

    def _number(self, token: Token, offset: int, sign: str = "") -> Node:
        text = token.text
        if token.kind == lexer.FLOAT:
            value = float(sign + text)
            if value in (float("inf"), float("-inf")):
                self._faults.report(offset, "invalid double literal")
            return Literal(offset, value)
        unsigned = token.kind == lexer.UINT
        digits = text.rstrip("uU")
        if not digits.startswith("0x"):
            digits = digits.lstrip("0") or "0"
        number = UINT_MAX + 1  # when it has more digits than Python likes to read
        if len(digits) < _MANY_DIGITS:
            number = int(sign + digits, 16 if digits.startswith("0x") else 10)
        if unsigned:
            if number > UINT_MAX:
                self._faults.report(offset, "invalid uint literal")
            return Literal(offset, UInt(number))
        if not INT_MIN <= number <= INT_MAX:
            self._faults.report(offset, "invalid int literal")
        return Literal(offset, number)

    def _text(self, token: Token) -> str:
        try:
            return unescape_string(token.text)
        except UnescapeError as error:
            self._faults.report(token.offset, str(error))
            return ""

    def _bytes(self, token: Token) -> bytes:
        try:
            return unescape_bytes(token.text[1:])
        except UnescapeError as error:
            self._faults.report(token.offset, str(error))
            return b""


def _end_free(token: Token) -> str:
    return "<EOF>" if token.kind == lexer.END else token.text
