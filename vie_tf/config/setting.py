"""One setting of a command: a field of a config class, declared once.

    learning_rate: float = setting(0.03, "Learning rate at the start.", lower=0)

The declaration gives the flag and its help, the entry of config.json, the check that
all workers of a run agree, what a run says when it goes on with another value, and the
column of TensorBoard's HParams tab.  A subclass changes a default by a plain
`learning_rate: float = 0.01`.
"""

from __future__ import annotations

import dataclasses
import enum
import math
import os
from typing import Any, Callable, Mapping

from vie_tf.config.importing import PATTERN


class Role(enum.Enum):
    """What another value of a setting does to a run that has begun."""

    FIXED = "decides the network, the bank or the data: a run cannot change it"
    HYPER_PARAMETER = "changes what is learned from then on"
    EXECUTION = "changes how a run is carried out, and its results hardly"
    FREE = "changes how long a run is and how often it reports"
    DERIVES = "decides the defaults of other settings, which count instead"
    PLACE = "is a path, which may differ from worker to worker"


# Types in JSON, by the type of a setting.
_KINDS: dict[str, tuple[type, ...]] = {
    **{"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
}
# A run logs another value of these when it goes on.
LOGGED = (Role.FIXED, Role.HYPER_PARAMETER, Role.EXECUTION)


@dataclasses.dataclass(frozen=True)
class Setting:
    """Declaration of a setting.

    Attributes:
      help: meaning of the setting for --help, with its unit.
      default: default value; `dataclasses.MISSING` if the setting is required.
      role: what another value does to a run that has begun.
      flag: name of the flag; empty for that of the field, None for no flag.
      choices: values that are allowed.
      importable: whether `package.module:name` of a user's module is allowed as well.
      lower: least value that is allowed.
      upper: greatest value that is allowed.
      above: bound that values have to exceed.
      below: bound that values must not reach.
      check: further condition on the value, and its words for an error message.
      none: word that stands for None on the command line.
      otherwise: default in words, for --help, where it is not this value.
      repeated: whether the flag is given once for each item of a tuple.
      hparam: whether the HParams tab shows it; None for as its role says.
      path: whether it is a path, or several, in which `~` is the folder of the user;
        those of the role PLACE are.
      only_if: another setting and the value of it without which this one decides
        nothing.
      tasks: tasks of evaluate.py that it changes; empty for all that have it.
      old_names: names of flag and field in earlier versions.
      old_values: current values by those of earlier versions.
      name: name of the field.
      kind: type of the field as it is annotated, such as `tuple[int, ...] | None`.
    """

    help: str
    default: Any
    role: Role = Role.HYPER_PARAMETER
    flag: str | None = ""
    choices: tuple[Any, ...] = ()
    importable: bool = False
    lower: float | None = None
    upper: float | None = None
    above: float | None = None
    below: float | None = None
    check: tuple[Callable[[Any], bool], str] | None = None
    none: str = ""
    otherwise: str = ""
    repeated: bool = False
    hparam: bool | None = None
    path: bool = False
    only_if: tuple[str, Any] | None = None
    tasks: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()
    old_values: Mapping[Any, Any] = dataclasses.field(default_factory=dict)
    name: str = ""
    kind: str = ""

    @property
    def label(self) -> str:
        """Name that a user knows: the flag, with its dashes, where there is one."""
        return self.name if self.flag is None else f"--{self.flag}"

    @property
    def is_hparam(self) -> bool:
        """Whether TensorBoard's HParams tab shows it."""
        return self.role in LOGGED if self.hparam is None else self.hparam

    @property
    def is_path(self) -> bool:
        """Whether the value is a path, or consists of paths."""
        return self.path or self.role is Role.PLACE

    @property
    def item_kind(self) -> str:
        """Type of the value, or of its items if it is a tuple: `int`, `str` ..."""
        kind = self.kind.split(" | ")[0]
        return kind[len("tuple[") :].split(",")[0] if self.is_tuple else kind

    @property
    def is_tuple(self) -> bool:
        """Whether a value has several items."""
        return self.kind.startswith("tuple[")

    def parse(self, text: str) -> Any:
        """Reads the value of the flag.

        Args:
          text: value as a user has written it; items of a tuple stand between commas.

        Raises:
          ValueError: the value is not allowed; the message says what is.
        """
        if self.none and text == self.none:
            return None
        convert: Callable[[Any], Any] = local_path
        if not self.is_path:
            convert = {"int": int, "float": float, "str": str}[self.item_kind]
        try:
            if not self.is_tuple:
                value = convert(self.old_values.get(text, text))
            else:
                value = tuple(map(convert, text.split(","))) if text else ()
            fits = self._allows(value)
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"give {self.allowed}")
        return value

    def _allows(self, value: Any) -> bool:
        items = value if self.is_tuple else (value,)
        if self.item_kind != "str" and not all(map(self._is_within_bounds, items)):
            return False
        if self.importable and PATTERN.fullmatch(value):
            return True
        if self.choices and not set(items) <= set(self.choices):
            return False
        return self.check is None or self.check[0](value)

    def _is_within_bounds(self, number: float) -> bool:
        return (
            math.isfinite(number)
            and (self.lower is None or number >= self.lower)
            and (self.upper is None or number <= self.upper)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )

    @property
    def allowed(self) -> str:
        """Values that are allowed, such as `a number, at least 0 and below 1`."""
        if self.choices:
            words = f"one of {', '.join(map(str, self.choices))}"
            words += ", or package.module:name of your own" if self.importable else ""
        else:
            words = {"int": "whole number", "float": "number", "str": "text"}[
                self.item_kind
            ]
            words = f"{words}s, separated by commas" if self.is_tuple else f"a {words}"
        bounds = {
            "at least": self.lower,
            "above": self.above,
            "at most": self.upper,
            "below": self.below,
        }
        limits = [f"{word} {x:g}" for word, x in bounds.items() if x is not None]
        words = ", ".join(filter(None, [words, " and ".join(limits)]))
        words = f"{words}, {self.check[1]}" if self.check else words
        return f"{words}, or {self.none}" if self.none else words

    def from_json(self, value: Any) -> Any:
        """Returns the value that a JSON file of this or an earlier version has.

        Raises:
          TypeError: it has another type.
          ValueError: it is not allowed.
        """
        if isinstance(value, list):
            value = tuple(value)
        elif self.old_values:
            value = self.old_values.get(value, value)
        if value is None or value == self.default:
            return value
        kinds = _KINDS.get(self.item_kind)
        items = value if self.is_tuple and isinstance(value, tuple) else (value,)
        if kinds and not all(type(item) in kinds for item in items):
            raise TypeError(f"{self.name} is {value!r}, not {self.kind}")
        # A program may have registered other names, which building them looks up.
        is_checked = kinds and self.item_kind != "bool" and not self.importable
        if is_checked and not self._allows(value):
            raise ValueError(f"{self.name} is {value!r}; it has to be {self.allowed}")
        return value


def local_path(text: str) -> str:
    """Returns a path of a command line, with the folder of the user in place of `~`.

    A shell replaces `~` at the beginning of a word, so not in `--output_dir=~/data`.
    A folder that is called `~` is given as `./~`.
    """
    return os.path.expanduser(text)


def setting(default: Any, help: str, **declared: Any) -> Any:
    """Declares a setting: the field of a dataclass.

    Args:
      default: default value; `dataclasses.MISSING` if the setting is required.
      help: meaning of the setting for --help, with its unit.
      declared: further attributes of `Setting`.
    """
    declaration = Setting(help, default, **declared)
    return dataclasses.field(default=default, metadata={"setting": declaration})


def like(config: type, name: str, **changes: Any) -> Any:
    """Declares the same setting as another config class has, with its default.

    Args:
      config: class that has the setting.
      name: name of its field there.
      changes: what is declared differently.
    """
    declaration = dataclasses.replace(settings_of(config)[name], **changes)
    return dataclasses.field(
        default=declaration.default, metadata={"setting": declaration}
    )


def settings_of(config: type) -> dict[str, Setting]:
    """Settings of a config class by the names of their fields.

    Fields that hold other configs are left out.
    """
    found = {}
    for field in dataclasses.fields(config):
        # A subclass that changes the default alone takes the rest from its base.
        for base in config.__mro__:
            origin = getattr(base, "__dataclass_fields__", {}).get(field.name)
            if origin is not None and "setting" in origin.metadata:
                declared = origin.metadata["setting"]
                flag = field.name if declared.flag == "" else declared.flag
                found[field.name] = dataclasses.replace(
                    declared,
                    flag=flag,
                    name=field.name,
                    kind=str(field.type),
                    default=field.default,
                )
                break
    return found


def from_json(config: type, content: Mapping[str, Any]) -> Any:
    """Builds a config from what a JSON file has, of this or an earlier version.

    Raises:
      TypeError: there is an unknown setting, or a required one is missing.
    """
    settings = settings_of(config)
    current = {old: s.name for s in settings.values() for old in s.old_names}
    values = {current.get(name, name): value for name, value in content.items()}
    return config(
        **{
            name: settings[name].from_json(value) if name in settings else value
            for name, value in values.items()
        }
    )
