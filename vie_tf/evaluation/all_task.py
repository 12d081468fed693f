"""All tasks that measure a run as it is, and a report of what they found."""

from __future__ import annotations

import os
from typing import Any, Callable

from vie_tf.config import KnnTaskConfig, LinearConfig, RetrievalConfig
from vie_tf.evaluation import results
from vie_tf.evaluation.labels import linear as linear_task
from vie_tf.evaluation.labels import sklearn_linear
from vie_tf.evaluation.neighbors import knn_task, retrieval_task
from vie_tf.evaluation.report import command
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import VAL_SPLIT


def evaluate(
    run: RestoredRun,
    model_dir: str,
    on_knn: KnnTaskConfig,
    on_retrieval: RetrievalConfig,
    on_linear: LinearConfig,
    *,
    start_over: bool = False,
) -> str:
    """Runs the tasks and writes `eval/report.md` from all results of the run.

    What the data do not allow is left out and said: without labels there is retrieval
    alone, and without validation videos read-outs are the quick ones.  A task that
    refuses the data does not keep the others from them.

    Args:
      run: to be evaluated.
      model_dir: folder of the run, or of the results of a two-stream network.
      on_knn: settings of kNN.
      on_retrieval: settings of retrieval.
      on_linear: settings of the read-outs.
      start_over: whether read-outs that are there are trained anew.

    Returns:
      The report.

    Raises:
      UserError: there is no task that the data allow.
    """

    def linear() -> None:
        linear_task.evaluate_linear(run, on_linear, start_over=start_over)

    tasks: dict[str, Callable[[], Any]] = {
        "retrieval": lambda: retrieval_task.evaluate(run, on_retrieval)
    }
    if len(run.manifest.class_names) < 2:
        print("The videos have no labels of two classes: no kNN and no read-outs.")
    else:
        tasks["knn"] = lambda: knn_task.evaluate(run, on_knn)
        tasks["linear --quick"] = lambda: sklearn_linear.evaluate_linear_quick(
            run, on_linear
        )
        if run.manifest.split(VAL_SPLIT):
            tasks["linear"] = linear
        else:
            print("There are no validation videos: the quick read-outs are all.")
    refused = 0
    for name, evaluate_task in tasks.items():
        try:
            evaluate_task()
        except UserError as error:
            print(f"Left out --task={name}: {error}", flush=True)
            refused += 1
            if refused == len(tasks):
                raise  # there is nothing to report
    text = command.of_runs([model_dir])
    path = os.path.join(results.folder(run), "report.md")
    write_atomically(path, text)
    print(f"Wrote {path}.")
    return text
