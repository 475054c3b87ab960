"""The words of a command line, put in order and freed of what Hydra would stumble on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from livedqn.cli.commands import COMMANDS
from livedqn.types import LivedqnError, did_you_mean

#: Flag -> (its short form, how many values it takes, what it does).
FLAGS = {
    "--help": ("-h", 0, "this page; also after a command"),
    "--version": ("", 0, "the version"),
    "--multirun": ("-m", 0, "run every combination of the values that are listed with commas"),
    "--cfg": ("-c", 1, "print the composed configuration (--cfg job) and do nothing"),
    "--resolve": ("", 0, "with --cfg: resolve interpolations"),
    "--config-dir": ("-cd", 1, "a folder of presets of your own (experiment/mine.yaml)"),
    "--info": ("-i", 1, "how the configuration is composed (--info defaults)"),
    "--hydra-help": ("", 0, "what Hydra adds"),
    "--shell-completion": ("-sc", 0, "tab completion (--shell-completion install=bash)"),
}
_CHOICES = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
}
_LONG = {short: long for long, (short, _, _) in FLAGS.items() if short}


@dataclass
class Words:
    """A command, its flags (long forms, their values behind them) and its overrides (``key=value``)."""

    command: str
    flags: list[str] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)


def read(arguments: Sequence[str]) -> Words:
    """Sort a command line into its words.

    Raises:
        LivedqnError: an unknown command or flag, or a bare word behind the first.
    """
    rest = list(arguments)
    words = Words("train")
    if rest and _is_bare(rest[0]):
        words.command = rest.pop(0)
        if words.command not in COMMANDS:
            hint = did_you_mean(words.command, COMMANDS)
            raise LivedqnError(f"there is no command {words.command!r}{hint}; commands: {', '.join(COMMANDS)}")
    while rest:
        word = rest.pop(0)
        if word.startswith("-"):
            words.flags += _flag(word, rest)
        elif _is_bare(word):
            raise LivedqnError(
                f"{word!r} stands alone: a command ({', '.join(COMMANDS)}) comes first, a setting is written name=value"
            )
        else:
            words.overrides.append(word)
    asked = [flag for flag in ("--cfg", "--info", "--multirun", "--shell-completion") if flag in words.flags]
    if len(asked) > 1:
        raise LivedqnError(f"{' and '.join(asked)} ask for different things; leave all but one out")
    if "--resolve" in words.flags and "--cfg" not in words.flags:
        raise LivedqnError("--resolve belongs to --cfg; write --cfg job --resolve")
    return words


def _flag(word: str, rest: list[str]) -> list[str]:
    name, equals, value = word.partition("=")
    name = _LONG.get(name, name)
    if name not in FLAGS:
        raise LivedqnError(f"there is no option {name}{did_you_mean(name, FLAGS)}; options: {', '.join(FLAGS)}")
    takes = FLAGS[name][1]
    if equals and not takes:
        raise LivedqnError(f"{name} takes no value")
    if not takes:
        return [name]
    if not equals:
        if not rest or rest[0].startswith("-"):
            raise LivedqnError(f"{name} needs a value: {FLAGS[name][2]}")
        value = rest.pop(0)
    if value not in _CHOICES.get(name, (value,)):
        raise LivedqnError(f"{name} {value}: choose one of {', '.join(_CHOICES[name])}")
    return [name, value]


def _is_bare(word: str) -> bool:
    return not word.startswith(("-", "~", "+")) and "=" not in word
