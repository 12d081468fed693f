"""The rows of the study, in the order in which they are made.

A row is a network of a seed: how it is trained, how it is evaluated, and which rows it
starts from.  LA and IR start from one network, that of IR at half of the steps, and
take the other half, so they differ in nothing else.
"""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Iterator

from benchmarks.paper_in_miniature import data_sets
from benchmarks.paper_in_miniature.commands import Command, Commands
from benchmarks.paper_in_miniature.scale import Scale

# The family of which there are several seeds, fewer videos, bins and fine-tunings.
DECIDES = "3dresnet"
FAMILIES = (DECIDES, "single", "slow", "slowfast", "trn")
STREAMS = {"two_stream_s": "slow", "two_stream_sf": "slowfast"}
CLIPS_OF = ("trn", "slow", "slowfast")
TRAININGS = ("random", "IR", "LA", "supervised")
# What twice the steps end with, where these rows are named.
LONG = ("IR", "LA")
# Part of the videos, and bins of a video, of table 3.
SUBSETS = {"30percent": 0.3, "70percent": 0.7}
BINS = {"2bin": 2, "5bin": 5}
STARTS = ("scratch", "LA", "supervised")
# Other methods of table 2, by --loss: the network that can learn it, and its flags.
OTHERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "rotation": (DECIDES, ()),
    "puzzle": (DECIDES, ()),
    "statistics": (DECIDES, ()),
    "order": ("single", ()),
    "cmc": ("single", ("--input=lab",)),
}
# Time of a step of theirs beside that of IR, by the clips that the network is given.
_OTHER_COSTS = {"rotation": 4.0, "puzzle": 2.0, "statistics": 1.3, "order": 4.0}
_OTHER_COSTS["cmc"] = 2.0
# Of these, the ones that are fine-tuned beside VIE: those of its network.
OTHER_STARTS = tuple(loss for loss, (family, _) in OTHERS.items() if family == DECIDES)
# Time of a step beside one of `3dresnet`, measured by --check_input.
_STEP_COSTS = {"single": 0.4, "trn": 0.8, "3dresnet": 1.0, "slow": 0.55}
_STEP_COSTS["slowfast"] = 1.8
# Of starting TensorFlow and of evaluating: as many steps.
_EVALUATION_COST, _START_COST = 120, 40


@dataclasses.dataclass(frozen=True)
class Row:
    """A network of the study.

    Attributes:
      key: name of the row and of its folder, which ends with the seed.
      name: name of the row without the seed.
      seed: its seed.
      commands: commands that make and evaluate it, in their order.
      after: keys of the rows that it starts from.
      reads: file of its results, relative to the study; empty without one.
      cost: expected time, in steps of `3dresnet`.
      is_extra: whether it is made only where it is asked for by its whole name.
    """

    key: str
    name: str
    seed: int
    commands: tuple[Command, ...]
    after: tuple[str, ...] = ()
    reads: str = ""
    cost: float = 0
    is_extra: bool = False


def key_of(name: str, seed: int) -> str:
    """Returns the key of a row, such as `3dresnet-LA-0`."""
    return f"{name}-{seed}"


@dataclasses.dataclass(frozen=True)
class _Rows:
    """Makes rows of a seed."""

    make: Commands
    seed: int

    @property
    def _steps(self) -> int:
        return self.make.scale.steps

    def trained(
        self,
        name: str,
        family: str,
        steps: int,
        *flags: str,
        start: str = "",
        begun: int | None = None,
        evaluates: bool = True,
        gallery: str = "bank",
    ) -> Row:
        """A row that trains: `steps` is its last, and `begun` that of its start."""
        key = key_of(name, self.seed)
        after = [key_of(start, self.seed)] if start else []
        if start:
            flags = (*flags, f"--init_from={self.make.run(after[0])}")
        commands = [
            self.make.train(key, family, self.seed, steps, *flags, gallery=gallery)
        ]
        cost = (steps - (begun or 0)) * _STEP_COSTS[family] + _START_COST
        if evaluates:
            nothing = family == DECIDES and not steps
            flags = ("--baselines",) if nothing else ()
            pictures = self.make.scale.sees_pictures(family)
            commands.append(self.make.measure(key, key, *flags, objects=pictures))
            cost += _EVALUATION_COST
        reads = self.make.result(key) if evaluates else ""
        return Row(key, name, self.seed, tuple(commands), tuple(after), reads, cost)

    def family(self, family: str) -> Iterator[Row]:
        """Untrained, IR, LA and supervised."""
        yield self.trained(f"{family}-random", family, 0, "--loss=ir")
        yield from self.unsupervised(family, family)
        supervised = f"{family}-supervised"
        yield self.trained(supervised, family, self._steps, "--loss=supervised")

    def unsupervised(
        self, name: str, family: str, *videos: str, only_la: bool = False
    ) -> Iterator[Row]:
        """IR to half of the steps, then both LA and IR from there."""
        start, half = f"{name}-start", self._steps // 2
        flags = ("--loss=ir", *videos)
        yield self.trained(start, family, half, *flags, evaluates=False)
        for training in ("LA",) if only_la else ("LA", "IR"):
            flags = (f"--loss={training.lower()}", *videos)
            whole = f"{name}-{training}"
            yield self.trained(
                whole, family, self._steps, *flags, start=start, begun=half
            )

    def longer(self, training: str) -> Row:
        """Twice the steps, the second half by IR or LA from the end of IR."""
        name, steps = f"{DECIDES}-long-{training}", 2 * self._steps
        flag, start = f"--loss={training.lower()}", f"{DECIDES}-IR"
        row = self.trained(name, DECIDES, steps, flag, start=start, begun=self._steps)
        return dataclasses.replace(row, is_extra=True)

    def other(self, loss: str) -> Row:
        """Another method of table 2, with as many steps as IR from the same start."""
        family, flags = OTHERS[loss]
        gallery = "bank" if loss == "cmc" else "features"  # others have no bank
        flags = (f"--loss={loss}", *flags)
        row = self.trained(
            f"{family}-{loss}", family, self._steps, *flags, gallery=gallery
        )
        cost = row.cost * _OTHER_COSTS[loss]
        return dataclasses.replace(row, cost=cost, is_extra=True)

    def less(self) -> Iterator[Row]:
        """Table 3: fewer videos, and bins of videos."""
        for name, part in SUBSETS.items():
            flags = (f"--subset={part}", f"--subset_seed={self.seed}")
            whole = f"{DECIDES}-{name}"
            yield from self.unsupervised(whole, DECIDES, *flags, only_la=True)
        for name, number in BINS.items():
            flag = f"--bin_frames={self.make.scale.bin_frames(number)}"
            whole = f"{DECIDES}-{name}"
            yield from self.unsupervised(whole, DECIDES, flag, only_la=True)

    def streams(self, name: str, training: str) -> Row:
        """Two trained networks side by side."""
        other, whole = STREAMS[name], f"{name}-{training}"
        after = tuple(key_of(f"{f}-{training}", self.seed) for f in ("single", other))
        key, flag = (
            key_of(whole, self.seed),
            f"--dynamic_from={self.make.run(after[1])}",
        )
        pictures = self.make.scale.sees_pictures("single", other)
        command = self.make.measure(key, after[0], flag, objects=pictures)
        reads, cost = self.make.result(key), _EVALUATION_COST * 2
        return Row(key, whole, self.seed, (command,), after, reads, cost)

    def clips_of(self, family: str) -> Row:
        """Table 4: `single` on the frames of another family's clips."""
        name, after = f"single-LA-on-{family}", key_of("single-LA", self.seed)
        key, flag = key_of(name, self.seed), f"--clips_of={family}"
        command = self.make.measure(key, after, flag, objects=False)
        reads, cost = self.make.result(key), _EVALUATION_COST
        return Row(key, name, self.seed, (command,), (after,), reads, cost)

    def finetuned(self, start: str) -> Row:
        """Table 2: all layers learn the held-out actions."""
        is_scratch = start == "scratch"
        trained = f"{DECIDES}-{'random' if is_scratch else start}"
        name, after = f"{DECIDES}-finetuned-{start}", key_of(trained, self.seed)
        flags = ("--from_scratch",) if is_scratch else ()
        command = self.make.finetune(after, self.seed, *flags)
        task = "finetune_scratch" if is_scratch else "finetune"
        reads = f"runs/{after}/eval/{task}-{data_sets.HELDOUT}.json"
        cost = self.make.scale.finetune_steps + _EVALUATION_COST
        key, is_extra = key_of(name, self.seed), start in OTHERS
        made = (command,), (after,), reads, cost, is_extra
        return Row(key, name, self.seed, *made)


def plan(scale: Scale, output: pathlib.Path) -> list[Row]:
    """Returns all rows of a study, each after those that it starts from.

    What decides comes first, so that a study that ends early has it.

    Args:
      scale: sizes.
      output: folder of the study.
    """
    make = Commands(scale, output)
    rows = [_Rows(make, seed) for seed in range(scale.seeds)]
    found = [row for of_seed in rows for row in of_seed.family(DECIDES)]
    first = rows[0]
    for family in FAMILIES[1:]:
        found += first.family(family)
    found += [first.streams(name, "LA") for name in STREAMS]
    found += [first.clips_of(family) for family in CLIPS_OF]
    for of_seed in rows:
        found += [of_seed.finetuned(start) for start in STARTS]
    for of_seed in rows:
        found += of_seed.less()
    for of_seed in rows:
        found += [of_seed.other(loss) for loss in OTHERS]
        found += [of_seed.finetuned(start) for start in OTHER_STARTS]
    for of_seed in rows:
        found += [of_seed.longer(training) for training in LONG]
    return found
