"""Goes on from a checkpoint of the authors' TF1 code.

python -m vie_tf tf1_checkpoint --model=3dresnet --checkpoint=PATH --model_dir=RUN

Comes in: what their `tf.train.Saver` has written, as files or in a tar archive.  Goes
out: a run directory, from which train.py and evaluate.py go on, or the weights of a
network (`restore`).  No variable gets lost on the way: what a run could use but is
not in the checkpoint is reported, and so is what is there but was not used.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
from typing import Collection, Iterator, Sequence

import numpy as np
import tensorflow as tf

from vie_tf.config import (
    DataConfig,
    KnnConfig,
    LossConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
)
from vie_tf.models import tf1_names
from vie_tf.models.from_config import build_model, with_family_defaults
from vie_tf.objectives import OBJECTIVES
from vie_tf.objectives.local_aggregation import LocalAggregation
from vie_tf.runs import tf1_archive
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.runs.schedules import TF1MomentumSGD
from vie_tf.runs.state import TrainState
from vie_tf.storage import command_line, files
from vie_tf.storage.errors import UserError
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, Manifest

_BANK = "instance/memory_bank"
_CLUSTERS = "instance/cluster_labels"
_LABELS = "instance/all_labels"
_STEP = "global_step"
_SLOT = "{}/Momentum"

# Kind of variable -> what becomes of a run whose checkpoint has none.
KINDS = {
    "weights": "cannot do without",
    "moving statistics": "cannot do without",
    "momentum": "starts at 0",
    "memory bank": "starts at random",
    "cluster labels": "are computed when LA begins",
    "labels": "are not compared with the data's",
    "step": "starts at 0",
}
_REQUIRED = ("weights", "moving statistics")
_OF_THE_BANK = ("memory bank", "cluster labels", "labels")

# Rows of the same videos have the same labels up to mistakes in the lists; shuffled
# rows of Kinetics' 400 classes agree for about one in a hundred.
_MIN_LABEL_AGREEMENT = 0.9
_MAX_LISTED = 20  # names that are printed without --verbose

_TF2_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"

# TF1 name -> kind, and the variable that takes the value.
_Targets = dict[str, tuple[str, tf.Variable]]


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of every variable.

    Attributes:
      matched: names that were read, by kind (a key of `KINDS`).
      missing: names that a run has but the checkpoint has not, by kind.
      left_over: names in the checkpoint that were not read.
    """

    matched: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[str, ...]]
    left_over: tuple[str, ...]

    def table(self, verbose: bool = False) -> str:
        """Describes the report: counts by kind, then what was left over.

        Args:
          verbose: whether all names are listed.
        """
        lines = [f"{'':<18} read  missing"]
        for kind, without in KINDS.items():
            matched, missing = self.matched.get(kind, ()), self.missing.get(kind, ())
            remark = f"  ({without})" if missing else ""
            lines.append(f"{kind:<18} {len(matched):4}  {len(missing):7}{remark}")
            if verbose:
                lines += [f"  {name}" for name in matched]
                lines += [f"  {name} (missing)" for name in missing]
        lines.append(f"left over: {len(self.left_over) or 'nothing'}")
        listed = self.left_over if verbose else self.left_over[:_MAX_LISTED]
        for name in listed:
            why = "  (a run takes its labels from the data)" if name == _LABELS else ""
            lines.append(f"  {name}{why}")
        if len(listed) < len(self.left_over):
            num_others = len(self.left_over) - len(listed)
            lines.append(f"  and {num_others} others (--verbose lists all)")
        return "\n".join(lines)


@dataclasses.dataclass(frozen=True)
class MadeRun:
    """A run directory that was made from a checkpoint.

    Attributes:
      config: of the run.
      report: what became of the checkpoint's variables.
      step: steps taken.
      num_videos: rows of the memory bank.
    """

    config: RunConfig
    report: Report
    step: int
    num_videos: int

    def describe(self) -> str:
        """Says in two lines what there is now and how it goes on."""
        origin = (
            "of the checkpoint" if "memory bank" in self.report.matched else "at random"
        )
        defaults, settings = ModelConfig(), self.config.model
        flags = [f"--model={settings.name}", f"--loss={self.config.loss.name}"]
        flags += [
            f"--{name}={getattr(settings, name)}"
            for name in ("resnet_size", "num_filters")
            if getattr(settings, name) != getattr(defaults, name)
        ]
        if self.config.loss.la_num_clusterings != LossConfig.la_num_clusterings:
            flags.append(f"--la_num_clusterings={self.config.loss.la_num_clusterings}")
        model_dir = self.config.train.model_dir
        return (
            f"Wrote {model_dir}: step {self.step}, a memory bank of"
            f" {self.num_videos} rows {origin}.\n"
            f"Go on with: python train.py {' '.join(flags)} --model_dir={model_dir}"
            f" --data_dir={self.config.data.data_dir or 'DATA'}"
        )


class _Tf1Checkpoint:
    """An open checkpoint.

    Args:
      path: as it was given, for messages.
      prefix: of the files.
    """

    def __init__(self, path: str, prefix: str) -> None:
        self.path = path
        with self._errors_in_one_line():
            self._reader = tf.train.load_checkpoint(prefix)
            self.shapes: dict[str, list[int]] = self._reader.get_variable_to_shape_map()
        if _TF2_KEY in self.shapes:
            raise UserError(
                f"The checkpoint {path} is of TensorFlow 2, not of the authors' TF1"
                " code. Give a run of this project to train.py: --init_from=RUN."
            )

    @contextlib.contextmanager
    def _errors_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            reason = str(error.message).partition("\n")[0]
            raise UserError(
                f"The checkpoint {self.path} cannot be read, copy it again: {reason}"
            ) from error

    def check(
        self, targets: _Targets, model_name: str, unused: Collection[str] = ()
    ) -> None:
        """Raises ValueError where a target cannot be filled.

        Args:
          targets: to be filled.
          model_name: for the message.
          unused: kinds that are not read.
        """
        problems = []
        for name, (kind, variable) in targets.items():
            if name not in self.shapes:
                if kind in _REQUIRED:
                    problems.append(f"{name!r} is missing")
            elif kind not in unused and self.shapes[name] != list(variable.shape):
                problems.append(
                    f"{name!r} is {self.shapes[name]}, not {list(variable.shape)}"
                )
        if problems:
            num_others = len(problems) - 3
            others = f"; and {num_others} more" if num_others > 0 else ""
            raise UserError(
                f"The checkpoint {self.path} does not fit the network {model_name!r}:"
                f" {'; '.join(problems[:3])}{others}. Give the --model and"
                " --resnet_size that it was trained with."
            )

    def read(
        self, targets: _Targets, model_name: str, unused: Collection[str] = ()
    ) -> Report:
        """Assigns all that the checkpoint has to the targets; arguments as `check`."""
        self.check(targets, model_name, unused)
        matched: dict[str, list[str]] = collections.defaultdict(list)
        missing: dict[str, list[str]] = collections.defaultdict(list)
        for name, (kind, _) in targets.items():
            if name not in self.shapes:
                missing[kind].append(name)
            elif kind not in unused:
                matched[kind].append(name)
        names = [name for group in matched.values() for name in group]
        # Read before anything is assigned: a broken file leaves the network as it was.
        with self._errors_in_one_line():
            values = {name: self._reader.get_tensor(name) for name in names}
        for name, value in values.items():
            variable = targets[name][1]
            variable.assign(np.asarray(value).astype(variable.dtype.as_numpy_dtype))
        return Report(
            matched={kind: tuple(group) for kind, group in matched.items()},
            missing={kind: tuple(group) for kind, group in missing.items()},
            left_over=tuple(sorted(set(self.shapes) - set(names))),
        )


@contextlib.contextmanager
def _opened(path: str) -> Iterator[_Tf1Checkpoint]:
    with tf1_archive.unpacked(path) as prefix:
        yield _Tf1Checkpoint(path, prefix)


def restore(model: tf.keras.Model, path: str) -> Report:
    """Reads the weights and the moving statistics of a network.

    Args:
      model: from `vie_tf.models.build`, of the family that the checkpoint is of.
      path: prefix of a checkpoint of the authors' code, or a tar archive with one.

    Returns:
      What became of every variable; left over is all that is not of the network.

    Raises:
      UserError: there is no such checkpoint, or it is of another network; the model
        is as it was.
    """
    with _opened(path) as checkpoint:
        return checkpoint.read(_network(model), model.name)


def make_run(
    settings: ModelConfig,
    path: str,
    model_dir: str,
    data_dir: str | None = None,
    fresh_bank: bool = False,
) -> MadeRun:
    """Makes a run directory that stands where a checkpoint of the authors' code stood.

    Args:
      settings: of the network.
      path: prefix of the checkpoint, or a tar archive with one.
      model_dir: folder of the run, not there yet or empty.
      data_dir: of the training videos; may be left out if the checkpoint has a bank.
      fresh_bank: whether the bank starts at random although the checkpoint has one.

    Raises:
      UserError: the checkpoint does not fit the network or the data, or the folder
        has something in it; nothing was written.
    """
    if files.exists(model_dir) and (
        not files.is_folder(model_dir) or files.names_in(model_dir)
    ):
        raise UserError(
            f"--model_dir={model_dir} is there already. Give a folder that is new or"
            " empty."
        )
    manifest = Manifest.load(data_dir) if data_dir else None
    with _opened(path) as checkpoint:
        uses_bank = _BANK in checkpoint.shapes and not fresh_bank
        config = _config(checkpoint, settings, model_dir, data_dir, uses_bank)
        model = build_model(config.model, config.train.seed)
        # First, so that a checkpoint of another network is called just that.
        checkpoint.check(_network(model), model.name)
        labels = _labels(checkpoint, manifest, uses_bank)
        objective = OBJECTIVES[config.loss.name].from_config(config, np.array(labels))
        optimizer = TF1MomentumSGD(config.train.learning_rate, config.train.momentum)
        state = TrainState(model, optimizer, objective)
        unused = () if uses_bank else _OF_THE_BANK
        if manifest is None:
            unused = (*unused, "labels")  # a run has labels from its data
        their_labels = tf.Variable(tf.zeros([len(labels)], tf.int64), trainable=False)
        # `clustered_at` stays at never: like the authors' code, a run that goes on
        # clusters before its first step of LA.
        report = checkpoint.read(
            {**_network(model), **_rest(state, their_labels)}, model.name, unused
        )
    if "labels" in report.matched:
        _check_same_order(path, their_labels.numpy(), np.array(labels))
    run = RunDirectory(model_dir)
    # The settings last: a folder with settings alone would be a run at step 0.
    run.save(state)
    run.save_config(config, manifest)
    return MadeRun(config, report, state.steps_taken(), len(labels))


def _config(
    checkpoint: _Tf1Checkpoint,
    settings: ModelConfig,
    model_dir: str,
    data_dir: str | None,
    uses_bank: bool,
) -> RunConfig:
    """Settings of the run: those that cannot change later are the checkpoint's."""
    loss = LossConfig()
    clusters_shape = checkpoint.shapes.get(_CLUSTERS, [])
    if uses_bank and clusters_shape:
        loss = LossConfig(name="la", la_num_clusterings=clusters_shape[0])
    return with_family_defaults(
        RunConfig(
            data=DataConfig(data_dir or ""),
            model=settings,
            loss=loss,
            train=TrainConfig(model_dir),
            knn=KnnConfig(),
        )
    )


def _network(model: tf.keras.Model) -> _Targets:
    return {
        name: ("moving statistics" if "/moving_" in name else "weights", variable)
        for name, variable in tf1_names(model).items()
    }


def _rest(state: TrainState, labels: tf.Variable) -> _Targets:
    """What a run has besides its network."""
    assert state.bank is not None
    names = {variable.ref(): name for name, variable in tf1_names(state.model).items()}
    slots = zip(state.model.trainable_variables, state.optimizer.accumulators)
    targets = {
        _SLOT.format(names[variable.ref()]): ("momentum", slot)
        for variable, slot in slots
    }
    targets[_BANK] = ("memory bank", state.bank.rows)
    if isinstance(state.objective, LocalAggregation):
        targets[_CLUSTERS] = ("cluster labels", state.objective.cluster_labels)
    targets[_LABELS] = ("labels", labels)
    targets[_STEP] = ("step", state.step)
    return targets


def _labels(
    checkpoint: _Tf1Checkpoint, manifest: Manifest | None, uses_bank: bool
) -> list[int]:
    """Labels of the rows of the run's bank, as far as they are known."""
    path, size = checkpoint.path, None
    if uses_bank:
        size = (checkpoint.shapes[_BANK] or [0])[0]
    if manifest is None:
        if size is None:
            raise UserError(
                f"The run gets no memory bank from {path}, and a new one has a row for"
                " every training video. Give their --data_dir."
            )
        return [NO_LABEL] * size
    labels = [video.label for video in manifest.split(TRAIN_SPLIT)]
    if size is not None and size != len(labels):
        raise UserError(
            f"The memory bank of {path} has {size} rows, but the data has {len(labels)}"
            " training videos. Give the --data_dir that it was trained on, or"
            " --fresh_bank to start a new bank for these videos."
        )
    return labels


def _check_same_order(path: str, theirs: np.ndarray, ours: np.ndarray) -> None:
    """Raises ValueError where the rows of the bank seem to be of other videos.

    A run takes row i to be of the i-th training video, whatever it was in TF1.

    Args:
      path: of the checkpoint.
      theirs: [N] labels in TF1, 0 until the first step of a video.
      ours: [N] labels of the data, or `NO_LABEL`.
    """
    known = (theirs > 0) & (ours != NO_LABEL)
    if not known.any():
        return
    pairs = collections.Counter(zip(theirs[known].tolist(), ours[known].tolist()))
    # Classes may be numbered differently, so each class of theirs is taken to be that
    # class of ours which most of its rows have.
    most: dict[int, int] = collections.defaultdict(int)
    for (label, _), count in pairs.items():
        most[label] = max(most[label], count)
    agreement = sum(most.values()) / known.sum()
    if agreement < _MIN_LABEL_AGREEMENT:
        raise UserError(
            f"The memory bank of {path} is of other videos than the data, or has them"
            f" in another order: only {agreement:.0%} of its rows have the data's"
            " label. Convert the videos in the order of the bank, or give --fresh_bank"
            " to start a new one."
        )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_line.Parser(
        prog="python -m vie_tf tf1_checkpoint",
        description="Makes a run directory of a checkpoint of the authors' TF1 code.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model", required=True, help="family that the checkpoint is of"
    )
    parser.add_argument(
        "--checkpoint",
        required=True,
        metavar="PATH",
        help="its files up to .index, or a .tar or .tar.gz that holds them",
    )
    parser.add_argument(
        "--model_dir", required=True, metavar="RUN", help="folder to be written"
    )
    parser.add_argument(
        "--data_dir",
        metavar="DATA",
        help="the training videos; needed if the checkpoint has no memory bank",
    )
    parser.add_argument(
        "--fresh_bank",
        action="store_true",
        help="start a new memory bank, for other videos than the authors'",
    )
    parser.add_argument(
        "--resnet_size",
        type=int,
        default=ModelConfig.resnet_size,
        help="layers of the network (default %(default)s)",
    )
    parser.add_argument(
        "--num_filters",
        type=int,
        default=ModelConfig.num_filters,
        help="filters of the first stage (default %(default)s)",
    )
    parser.add_argument("--verbose", action="store_true", help="list every variable")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, makes the run and prints what became of the variables.

    Args:
      arguments: of the command; those of the process if not given.
    """
    parsed = _parse(arguments)
    settings = ModelConfig(
        name=parsed.model,
        resnet_size=parsed.resnet_size,
        num_filters=parsed.num_filters,
    )
    try:
        made = make_run(
            settings,
            parsed.checkpoint,
            parsed.model_dir,
            parsed.data_dir,
            parsed.fresh_bank,
        )
    except UserError as error:
        command_line.fail(str(error))
    print(made.report.table(parsed.verbose))
    print(made.describe())


def run(arguments: Sequence[str]) -> None:
    """Runs the command `python -m vie_tf`, whose arguments these are, and exits."""
    main(arguments)
