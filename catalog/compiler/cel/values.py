"""The values of the expression language, as Python values.

==============  ==========================================================================================
CEL             Python
==============  ==========================================================================================
bool, string    ``bool``, ``str``
bytes           ``bytes``
int             ``int`` (64 bits; every operation checks the range)
uint            ``UInt``
double          ``float``: also every number of a JSON document, integral or not
null            ``None``
list            ``list`` when it comes from the context; ``CelList`` when an expression made it;
                ``StringList`` when ``split`` made it
map             ``dict`` with ``str`` keys when it comes from the context; ``CelMap`` when an expression made it
duration        ``Duration``
timestamp       ``Timestamp``
optional        ``OptionalValue``
type            ``TypeValue``
omit            ``OMIT``
==============  ==========================================================================================

Why made containers have classes of their own: at the boundary a container of the context is handed out untouched,
while one that an expression made is converted (omitted entries dropped, its nulls turned into ``NULL``, its keys into
text). See ``native.to_native``.

Keys of a ``CelMap``: text is its own key, every other key is boxed by ``map_key``, because Python holds ``True``,
``1`` and ``1.0`` for one key and CEL does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
UINT_MAX: Final = 2**64 - 1

_EPOCH_SECONDS_OF_YEAR_ONE: Final = -62135596800
_EPOCH_SECONDS_OF_YEAR_TEN_THOUSAND: Final = 253402300800


class UInt(int):
    """An unsigned 64-bit integer. Not equal in type to ``int``: code must test types with ``type(x) is``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class NullValue(int):
    """What a null that an expression computed becomes outside: the number 0 of a class of its own."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NULL"


NULL: Final = NullValue(0)


class StringList(list[str]):
    """The result of ``split``: a list of texts by its type, which loops and patches of the contract do not accept."""

    __slots__ = ()


class CelList(list[Any]):
    """A list that an expression made."""

    __slots__ = ()


class CelMap(dict[Any, Any]):
    """A map that an expression made; keys as ``map_key`` gives them."""

    __slots__ = ()


class BoxedKey(NamedTuple):
    """A key that is no text: the name of its type and its value."""

    kind: str
    value: object


class Duration(NamedTuple):
    """A span of time in nanoseconds, within 64 bits."""

    nanoseconds: int


class Timestamp(NamedTuple):
    """A point in time: seconds since 1970 (may be negative) and nanoseconds (0 to 999 999 999)."""

    seconds: int
    nanoseconds: int

    def is_in_range(self) -> bool:
        """Tell whether the year is between 1 and 9999."""
        return _EPOCH_SECONDS_OF_YEAR_ONE <= self.seconds < _EPOCH_SECONDS_OF_YEAR_TEN_THOUSAND


class OptionalValue:
    """An optional. ``value`` means something only while ``present``."""

    __slots__ = ("present", "value")

    def __init__(self, value: object = None, present: bool = True) -> None:
        self.value = value
        self.present = present

    def __repr__(self) -> str:
        return f"optional.of({self.value!r})" if self.present else "optional.none()"


NONE: Final = OptionalValue(None, False)


class TypeValue:
    """A type as a value: what ``type(x)`` gives. Equal when the names are."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeValue) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("type", self.name))

    def __repr__(self) -> str:
        return f"type({self.name})"


class _Omit:
    """The class of ``OMIT``: stands for an entry that is to be left out of its container."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "OMIT"

    def __copy__(self) -> _Omit:
        return self

    def __deepcopy__(self, memo: object) -> _Omit:
        return self


OMIT: Final = _Omit()

_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    NullValue: "null_type",
    list: "list",
    CelList: "list",
    StringList: "list",
    dict: "map",
    CelMap: "map",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    OptionalValue: "optional_type",
    TypeValue: "type",
    _Omit: "omit",
}
_KEY_KINDS: Final[dict[type, str]] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
}
_KEY_ORDER: Final = {"null_type": 0, "bool": 1, "int": 2, "uint": 2, "double": 2, "string": 3}


def type_name(value: object) -> str:
    """Return the name of the CEL type of ``value``."""
    name = _TYPE_NAMES.get(type(value))
    if name is not None:
        return name
    for base, base_name in ((dict, "map"), (list, "list"), (str, "string"), (float, "double")):
        if isinstance(value, base):
            return base_name
    raise TypeError(f"not a value of the expression language: {type(value).__name__}")


def map_key(value: object) -> object:
    """Return the key under which a ``CelMap`` holds ``value``: itself when it is text, boxed otherwise.

    Raises ``KeyError`` when the type cannot be a key.
    """
    if type(value) is str:
        return value
    return BoxedKey(_KEY_KINDS[type(value)], value)


def key_value(key: object) -> object:
    """Return the value of a key of a map: the reverse of ``map_key``."""
    return key.value if type(key) is BoxedKey else key


def sorted_keys(container: Iterable[Any]) -> list[Any]:
    """Return the keys of a map in the order of a comprehension: booleans, numbers, texts, each ascending.

    Go visits maps in random order; a fixed one makes every result reproducible.
    """
    try:
        return sorted(container)  # all texts, as nearly always
    except TypeError:
        return sorted(container, key=_key_order)


def _key_order(key: object) -> tuple[int, Any, str]:
    if type(key) is BoxedKey:
        return (_KEY_ORDER[key.kind], 0 if key.value is None else key.value, key.kind)
    return (_KEY_ORDER["string"], key, "string")


def from_json(document: Any) -> Any:
    """Return a decoded JSON document with its integers as doubles; the containers are new.

    The expression language has no integers in documents: it reads every JSON number as a double.
    """
    if isinstance(document, dict):
        return {key: from_json(value) for key, value in document.items()}
    if isinstance(document, list):
        return [from_json(item) for item in document]
    if type(document) is int:
        return float(document)
    return document
