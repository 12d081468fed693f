"""A command with flags: from its settings to its exit code.

    def main(arguments: Sequence[str] | None = None) -> int:
        return cli.run(command, {"Data": DataConfig}, __doc__, arguments)

Flags belong to the call, not to the process, so that several commands can be called in
one process, as tests do.
"""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from typing import Any, Callable, Mapping, Sequence, TypeVar

from absl import flags

from vie_tf import __version__
from vie_tf.config.setting import Setting, settings_of
from vie_tf.flags import mistyped
from vie_tf.storage.errors import UserError
from vie_tf.terminal import command_line

_SEE_HELP = "(--help lists all flags)"
Config = TypeVar("Config")
# Config classes by the titles of their groups; several have a word each for --help.
Groups = Mapping[str, "type | Mapping[str, type]"]


class Flags:
    """Flags of one call of a command.

    A flag that was not given has no value: its default is that of the config class.

    Args:
      groups: config classes, whose settings become flags.
      description: text before the flags in --help.
    """

    def __init__(self, groups: Groups, description: str = "") -> None:
        self._description = description
        self._groups = {
            title: of_group if isinstance(of_group, Mapping) else {"": of_group}
            for title, of_group in groups.items()
        }
        self._values = flags.FlagValues()
        self._parsers: dict[str, _Parser] = {}
        self._defaults: dict[str, Any] = {}
        for configs in self._groups.values():
            for config in configs.values():
                for setting in settings_of(config).values():
                    self._define(setting)

    def _define(self, setting: Setting) -> None:
        if setting.flag is None or setting.flag in self._parsers:
            return
        parser = self._parsers[setting.flag] = _Parser(setting)
        for name in (setting.flag, *setting.old_names):
            if setting.kind == "bool":
                flags.DEFINE_bool(name, None, setting.help, self._values)
            elif setting.repeated:
                flags.DEFINE_multi_string(name, None, setting.help, self._values)
            else:
                flags.DEFINE(parser, name, None, setting.help, self._values)

    def parse(self, arguments: Sequence[str]) -> None:
        """Reads a command line, without the name of the command.

        Raises:
          UserError: an unknown flag, a value that is not allowed, or a stray argument.
        """
        try:
            rest = self._values(["", *arguments])[1:]
        except flags.Error as error:
            reason = mistyped.reason_of(error, [*self._parsers, "flagfile"])
            raise UserError(f"{reason} {_SEE_HELP}") from error
        except ValueError as error:  # of --noFLAG=VALUE
            raise UserError(f"{error}. {_SEE_HELP}") from error
        if rest:
            raise UserError(
                f"Every argument is a flag, such as --data_dir=FOLDER, but {rest[0]!r}"
                f" was given. {_SEE_HELP}"
            )
        for flag, parser in self._parsers.items():
            for old in parser.setting.old_names:
                if self._values[old].present:
                    _tell(f"--{old} is now called --{flag}.")
                    if not self._values[flag].present:
                        self._values[flag].value = self._values[old].value
                        self._values[flag].present = 1
            for old_value, value in parser.renamed.items():
                _tell(f"--{flag}={old_value} is now called --{flag}={value}.")

    def all_given(self) -> dict[str, Any]:
        """Returns the values of the flags that were given, by their names."""
        known = {flag: self._values[flag] for flag in self._parsers}
        return {
            flag: tuple(one.value) if isinstance(one.value, list) else one.value
            for flag, one in known.items()
            if one.present
        }

    def given(self, config: type) -> dict[str, Any]:
        """Returns the settings of a config that were given, by their names."""
        values = self.all_given()
        return {
            name: values[setting.flag]
            for name, setting in settings_of(config).items()
            if setting.flag in values
        }

    def set_defaults(self, values: Mapping[str, Any]) -> None:
        """Sets values for flags that were not given, by their names."""
        self._defaults = dict(values)

    def config(self, kind: type[Config], **others: Any) -> Config:
        """Builds a config from the flags.

        Args:
          kind: class of the config.
          others: values for settings that were not given, which win over
            `set_defaults`.

        Raises:
          UserError: a required flag is missing.
        """
        defaults = {
            name: self._defaults[setting.flag]
            for name, setting in settings_of(kind).items()
            if setting.flag in self._defaults
        }
        values = {**defaults, **others, **self.given(kind)}
        for name, setting in settings_of(kind).items():
            is_required = setting.default is dataclasses.MISSING
            if is_required and values.get(name) in (None, ""):
                raise UserError(f"{setting.label} is missing: {setting.help}")
        return kind(**values)

    def shown(self, flag: str, value: Any) -> str:
        """Writes the value of a flag as a command line has it: `--seed=1`."""
        setting = self._parsers[flag].setting
        if setting.kind == "bool":
            return f"--{'' if value else 'no'}{flag}"
        if value is None:
            return f"--{flag}={setting.none}"
        if isinstance(value, tuple):
            value = ",".join(map(str, value))
        return f"--{flag}={value}"

    def help(self) -> str:
        """Returns the text of --help: a group of flags for each kind of settings."""
        parts, shown = [self._description.strip()], set()
        for title, configs in self._groups.items():
            lines = [title]
            for config in configs.values():
                for setting in settings_of(config).values():
                    if setting.flag is not None and setting.flag not in shown:
                        shown.add(setting.flag)
                        lines.append(_describe(setting, _default(setting, configs)))
            if len(lines) > 1:
                parts.append("\n".join(lines))
        return "\n\n".join([*parts, _OF_ALL_COMMANDS])


_OF_ALL_COMMANDS = """Every command
  --flagfile=FILE
      Take flags from a file, one on a line; # begins a comment. Flags that come
      later win.
  --version
      Print the version, and do nothing else.
  --help
      Print this text, and do nothing else."""


class _Parser(flags.ArgumentParser):
    """Reads the value of a setting.

    Attributes:
      setting: setting of the flag.
      renamed: current values by those of earlier versions that were given.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.renamed: dict[str, str] = {}

    def parse(self, argument: str) -> Any:
        if argument in self.setting.old_values:
            self.renamed[argument] = self.setting.old_values[argument]
        return self.setting.parse(argument)


def run(
    command: Callable[[Flags], None],
    groups: Groups,
    description: str | None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Calls a command with its flags.

    Args:
      command: receives the flags.
      groups: config classes by the titles of their groups.
      description: docstring of the command's module, for --help.
      arguments: command line; None for that of the process.

    Returns:
      The exit code: 1 where the user has to mend something, which is printed in one
      line.  Other errors are raised.
    """
    given = sys.argv[1:] if arguments is None else arguments

    def work() -> None:
        parsed = Flags(groups, description or "")
        if any(argument in ("--help", "-help", "-h", "--h") for argument in given):
            print(parsed.help())
            return
        if "--version" in given:
            print(f"vie-tf {__version__}")
            return
        parsed.parse(given)
        command(parsed)

    return command_line.exit_code_of(work)


def _tell(line: str) -> None:
    print(f"{line} The old name goes with the next release.", file=sys.stderr)


def _default(setting: Setting, configs: Mapping[str, type]) -> str:
    """Default of a setting in words, for each of the configs where they differ."""
    words = {
        title: _default_of(of_config[setting.name], of_config)
        for title, config in configs.items()
        for of_config in [settings_of(config)]
        if setting.name in of_config
    }
    if len(set(words.values())) == 1:
        return words.popitem()[1]
    return "; ".join(f"{title} {text}" for title, text in words.items())


def _default_of(setting: Setting, others: Mapping[str, Setting]) -> str:
    if setting.otherwise:
        return setting.otherwise.format(**{k: v.default for k, v in others.items()})
    value = setting.default
    if value is dataclasses.MISSING:
        return "required"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value == () or value == "":
        return setting.none
    return ",".join(map(str, value)) if setting.is_tuple else str(value)


def _describe(setting: Setting, default: str) -> str:
    name = f"--[no]{setting.flag}" if setting.kind == "bool" else f"--{setting.flag}"
    if setting.choices:
        name += f"={{{','.join(map(str, setting.choices))}}}"
    elif setting.kind != "bool":
        name += "=VALUE"
    if default:
        default = f" ({default})" if default == "required" else f" (default {default})"
    heads = textwrap.wrap(name + default, width=86, subsequent_indent="    ")
    body = textwrap.wrap(setting.help, width=80)
    return "\n".join([f"  {head}" for head in heads] + [f"      {b}" for b in body])
