"""The generator's part for operators and functions. Called by ``generator``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from catalog.compiler.cel import code, generator_optionals
from catalog.compiler.cel.budget import MAX_SIZE
from catalog.compiler.cel.code import Code
from catalog.compiler.cel.functions import dispatcher
from catalog.compiler.cel.nodes import Call, ListNode, Literal, Node
from catalog.compiler.cel.values import OMIT
from catalog.compiler.names import LABEL_LIMIT, RESOURCE_NAME_LIMIT

if TYPE_CHECKING:
    from catalog.compiler.cel.generator import Generator

_SAFE_INTEGER: Final = 2**53
_ORDER: Final = {
    "_<_": ("<", "less"),
    "_<=_": ("<=", "less_equal"),
    "_>_": (">", "greater"),
    "_>=_": (">=", "greater_equal"),
}
_ARITHMETIC: Final = {"_-_": "subtract", "_*_": "multiply", "_/_": "divide", "_%_": "modulo"}
_RESULT_KINDS: Final = {
    "string": code.STR,
    "int": code.INT,
    "double": code.FLOAT,
    "bool": code.BOOL,
    "uint": code.UINT,
    "bytes": code.BYTES,
    "list": code.LIST,
    "map": code.MAP,
}


def call(generator: Generator, node: Call) -> Code:
    """Return code for the value of a call."""
    special = _SPECIAL.get(node.function)
    made = special(generator, node) if special is not None else None
    if made is not None:
        return made
    if generator_optionals.may_be_optional(node):
        bare = generator_optionals.optional_call(generator, node)
        if bare is not None:
            return generator.boxed(bare)
    return _function(generator, node)


def _operands(node: Call) -> list[Node]:
    return node.args if node.target is None else [node.target, *node.args]


def _function(generator: Generator, node: Call) -> Code:
    """Any function of the library, found by the types of its arguments at run time."""
    overloads = generator.library[node.function]
    name = generator.writer.constant(dispatcher(node.function, overloads))
    args = ", ".join([generator.raw(operand).text for operand in _operands(node)])
    kinds = {_RESULT_KINDS.get(overload.result.kind, code.ANY) for overload in overloads}
    made = Code(f"{name}({args})", kinds.pop() if len(kinds) == 1 else code.ANY)
    return generator.counted(made) if made.kind in (code.STR, code.LIST, code.BYTES) else made


# --- logic


def _condition(generator: Generator, node: Node) -> str:
    """Return code for a boolean, whatever the node may give."""
    made = generator.raw(node)
    return made.text if made.kind == code.BOOL else f"{generator.helper('truth')}({made.text})"


def _logical(generator: Generator, node: Call) -> Code:
    word = "and" if node.function == "_&&_" else "or"
    decided = Code(_condition(generator, node.args[0]), code.BOOL)
    for operand in node.args[1:]:
        decided = _decided_by(generator, decided, operand, word)
    return decided


def _decided_by(generator: Generator, left: Code, operand: Node, word: str) -> Code:
    with generator.writer.capture() as captured:
        right = _condition(generator, operand)
    if not captured.lines:
        return Code(f"({left.text} {word} {right})", code.BOOL)
    result = generator.writer.name()
    generator.writer.line(f"{result} = {left.text}")
    with generator.writer.block(f"if {result}:" if word == "and" else f"if not {result}:"):
        generator.writer.add_captured(captured.lines)
        generator.writer.line(f"{result} = {right}")
    return Code(result, code.BOOL, is_name=True)


def conditional(generator: Generator, node: Call, emit: str) -> Code:
    """Return code for ``condition ? a : b``; ``emit`` is the generator's method for the branches."""
    condition, accepted, refused = node.args
    made = generator.raw(condition)
    if made.kind == code.BOOL:
        return generator.either(made.text, accepted, refused, emit)
    stored = generator.writer.stored(made)
    return generator.either(f"{stored.text} is True", accepted, refused, emit, f"{stored.text} is False")


def _conditional(generator: Generator, node: Call) -> Code:
    return conditional(generator, node, "raw")


def _not(generator: Generator, node: Call) -> Code:
    return Code(f"(not {_condition(generator, node.args[0])})", code.BOOL)


# --- equality and order


def _equality(generator: Generator, node: Call) -> Code:
    negated = node.function == "_!=_"
    left, right = generator.raw(node.args[0]), generator.raw(node.args[1])
    text = _equal(generator, node, left, right, negated)
    return Code(text, code.BOOL)


def _equal(generator: Generator, node: Call, left: Code, right: Code, negated: bool) -> str:
    sign, identity = ("!=", "is not") if negated else ("==", "is")
    kinds = (left.kind, right.kind)
    if code.STR in kinds:  # nothing but a text equals a text, in Python as well
        return f"({left.text} {sign} {right.text})"
    if kinds in ((code.BOOL, code.BOOL), (code.BOOL, code.ANY), (code.ANY, code.BOOL)):  # there is one True
        return f"({left.text} {identity} {right.text})"
    number, other = (node.args[0], right) if isinstance(node.args[0], Literal) else (node.args[1], left)
    if isinstance(number, Literal) and _is_plain_number(number.value) and number.value not in (0, 1):
        return f"({other.text} {sign} {number.value!r})"
    made = f"{generator.operator('equal')}({left.text}, {right.text})"
    return f"(not {made})" if negated else made


def _is_plain_number(value: object) -> bool:
    """Tell whether Python compares with the number as the language does; 0 and 1 it holds equal to booleans."""
    return type(value) in (int, float) and -_SAFE_INTEGER < value < _SAFE_INTEGER  # type: ignore[operator]


def _ordering(generator: Generator, node: Call) -> Code:
    sign, exact = _ORDER[node.function]
    left, right = generator.raw(node.args[0]), generator.raw(node.args[1])
    if left.kind == right.kind and left.kind in (code.INT, code.FLOAT, code.STR):
        return Code(f"({left.text} {sign} {right.text})", code.BOOL)
    function = generator.operator(exact)
    literal = node.args[1]
    if isinstance(literal, Literal) and _is_plain_number(literal.value):
        left = generator.writer.stored(left)
        quick = f"{left.text} {sign} {right.text} if type({left.text}) is float"
        return Code(f"({quick} else {function}({left.text}, {right.text}))", code.BOOL)
    return Code(f"{function}({left.text}, {right.text})", code.BOOL)


def _in(generator: Generator, node: Call) -> Code:
    needle_node, container_node = node.args
    needle = generator.raw(needle_node)
    if isinstance(container_node, ListNode) and not container_node.optional_items:
        made = _in_literal(generator, needle, container_node)
        if made is not None:
            return made
    container = generator.writer.stored(generator.raw(container_node))
    exact = f"{generator.operator('contains')}({needle.text}, {container.text})"
    if needle.kind != code.STR:
        return Code(exact, code.BOOL)
    quick = f"{needle.text} in {container.text}"
    test = f"type({container.text}) is dict or type({container.text}) is list"
    return Code(f"({quick} if {test} else {exact})", code.BOOL)


def _in_literal(generator: Generator, needle: Code, container: ListNode) -> Code | None:
    """``x in ['a', 'b']``: texts equal nothing but texts, so Python's own test does."""
    items = [generator.raw(item) for item in container.items]
    if not items or (needle.kind != code.STR and any(item.kind != code.STR for item in items)):
        return None
    return Code(f"({needle.text} in ({', '.join([item.text for item in items])},))", code.BOOL)


# --- arithmetic


def _add(generator: Generator, node: Call) -> Code:
    parts = [generator.raw(part) for part in _chain(node)]
    if any(part.kind == code.STR for part in parts):
        return _concatenation(generator, parts)
    total = parts[0]
    for part in parts[1:]:
        total = _sum(generator, total, part)
    return total


def _sum(generator: Generator, left: Code, right: Code) -> Code:
    if left.kind == right.kind == code.FLOAT:
        return Code(f"({left.text} + {right.text})", code.FLOAT)
    if right.kind == code.FLOAT:
        left = generator.writer.stored(left)
        quick = f"{left.text} + {right.text} if type({left.text}) is float"
        return Code(f"({quick} else {generator.operator('add')}({left.text}, {right.text}))", code.FLOAT)
    kinds = {left.kind, right.kind} - {code.ANY}
    kind = kinds.pop() if len(kinds) == 1 else code.ANY
    if kind not in (code.INT, code.UINT, code.FLOAT, code.BYTES, code.LIST):
        kind = code.ANY  # of times and durations the sum is neither's type
    return Code(f"{generator.helper('plus')}({left.text}, {right.text})", kind)


def _chain(node: Node) -> list[Node]:
    """Return the operands of ``a + b + c``, from the left."""
    parts: list[Node] = []
    while isinstance(node, Call) and node.function == "_+_":
        parts.append(node.args[1])
        node = node.args[0]
    return [node, *reversed(parts)]


def _concatenation(generator: Generator, parts: list[Code]) -> Code:
    """A sum with a text among its operands: all of them must be texts, and both ways of joining see to it."""
    texts = [part.text for part in parts]
    joined = " + ".join(texts) if len(texts) == 2 else f'"".join(({", ".join(texts)}))'
    made = generator.counted(Code(f"({joined})", code.STR))
    with generator.writer.block(f"if len({made.text}) > {MAX_SIZE}:"):
        generator.writer.line(f"{generator.helper('give_up')}()")
    return made


def _arithmetic(generator: Generator, node: Call) -> Code:
    left, right = generator.raw(node.args[0]), generator.raw(node.args[1])
    name = generator.operator(_ARITHMETIC[node.function])
    kinds = {left.kind, right.kind} & {code.INT, code.FLOAT, code.UINT}
    return Code(f"{name}({left.text}, {right.text})", kinds.pop() if len(kinds) == 1 else code.ANY)


def _negate(generator: Generator, node: Call) -> Code:
    value = generator.raw(node.args[0])
    kind = value.kind if value.kind in (code.INT, code.FLOAT) else code.ANY
    return Code(f"{generator.operator('negate')}({value.text})", kind)


# --- functions that Python has


def _index(generator: Generator, node: Call) -> Code | None:
    return None if generator_optionals.may_be_optional(node) else generator.members(node)


def _size(generator: Generator, node: Call) -> Code:
    operand = _operands(node)[0]
    value = generator.raw(operand)
    if value.kind in (code.STR, code.LIST, code.MAP, code.BYTES):
        return Code(f"len({value.text})", code.INT)
    value = generator.writer.stored(value)
    exact = generator.writer.constant(dispatcher("size", generator.library["size"]))
    quick = f"len({value.text}) if type({value.text}) is list or type({value.text}) is dict"
    return Code(f"({quick} or type({value.text}) is str else {exact}({value.text}))", code.INT)


def _string(generator: Generator, node: Call) -> Code:
    value = generator.raw(node.args[0])
    if value.kind == code.STR:
        return value
    if value.kind == code.INT:
        return Code(f"str({value.text})", code.STR)
    return _function(generator, node)


def _method(name: str) -> Callable[[Generator, Call], Code | None]:
    """``startsWith``, ``endsWith``: Python's own, when the receiver cannot be bytes."""

    def make(generator: Generator, node: Call) -> Code | None:
        if node.target is None:
            return None
        receiver, part = generator.name(node.target), generator.raw(node.args[0])
        if not (receiver.kind == code.STR or receiver.of_context) or part.kind != code.STR:
            return None
        return Code(f"{receiver.text}.{name}({part.text})", code.BOOL)

    return make


def _join(generator: Generator, node: Call) -> Code | None:
    if node.target is None:
        return None
    items = generator.raw(node.target)
    separator = generator.raw(node.args[0]) if node.args else Code("''", code.STR)
    if separator.kind != code.STR:
        return None
    return generator.counted(Code(f"{generator.helper('joined')}({items.text}, {separator.text})", code.STR))


def _merge(generator: Generator, node: Call) -> Code:
    base, override = generator.raw(node.args[0]), generator.raw(node.args[1])
    return Code(f"{generator.helper('merged')}({base.text}, {override.text})", code.MAP)


def _names(limit: int) -> Callable[[Generator, Call], Code | None]:
    """``oc_generate_name``, ``oc_dns_label``: with the parts as a literal list, or one text."""

    def make(generator: Generator, node: Call) -> Code | None:
        (argument,) = node.args
        if isinstance(argument, ListNode):
            if not argument.items or argument.optional_items:
                return None
            parts = generator.items(argument)
        else:
            part = generator.raw(argument)
            if part.kind != code.STR and not part.of_context:
                return None
            parts = part.text
        return Code(f"{generator.helper('object_name')}({limit}, {parts})", code.STR)

    return make


def _omit(generator: Generator, node: Call) -> Code:
    return Code(generator.writer.helper(OMIT, "OMIT"), is_name=True, may_omit=True)


def _dyn(generator: Generator, node: Call) -> Code:
    return generator.raw(node.args[0])


_SPECIAL: Final[dict[str, Callable[[Generator, Call], Code | None]]] = {
    "_&&_": _logical,
    "_||_": _logical,
    "_?_:_": _conditional,
    "!_": _not,
    "_==_": _equality,
    "_!=_": _equality,
    **dict.fromkeys(_ORDER, _ordering),
    "@in": _in,
    "_+_": _add,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    "-_": _negate,
    "_[_]": _index,
    "size": _size,
    "string": _string,
    "startsWith": _method("startswith"),
    "endsWith": _method("endswith"),
    "join": _join,
    "oc_merge": _merge,
    "oc_generate_name": _names(RESOURCE_NAME_LIMIT),
    "oc_dns_label": _names(LABEL_LIMIT),
    "oc_omit": _omit,
    "dyn": _dyn,
    "orValue": generator_optionals.or_value_raw,
    "hasValue": generator_optionals.has_value,
    "value": generator_optionals.value,
}
