"""All tasks without fine-tuning, and a report of their results."""

from __future__ import annotations

import os
from typing import Any, Callable

from vie_tf.config import KnnTaskConfig, LinearConfig, RetrievalConfig
from vie_tf.evaluation import results
from vie_tf.evaluation.labels import linear as linear_task
from vie_tf.evaluation.labels import sklearn_linear
from vie_tf.evaluation.neighbors import knn_task, retrieval_task
from vie_tf.evaluation.report import report_runs
from vie_tf.evaluation.restored_run import RestoredRun
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import write_atomically
from vie_tf.storage.manifest import VAL_SPLIT


def evaluate(
    run: RestoredRun,
    model_dir: str,
    knn: KnnTaskConfig,
    retrieval: RetrievalConfig,
    linear: LinearConfig,
    *,
    start_over: bool = False,
) -> str:
    """Runs all tasks that the data allows, and writes `eval/report.md`.

    Without labels it runs retrieval alone, and without validation videos scikit-learn
    probes replace the linear probes.  It prints why other tasks refuse the data.

    Args:
      run: run that is evaluated.
      model_dir: folder of the run, or of the results of a two-stream network.
      knn: settings of kNN.
      retrieval: settings of retrieval.
      linear: settings of the linear probes.
      start_over: whether finished linear probes are trained again.

    Returns:
      The report.

    Raises:
      UserError: the data allows no task.
    """
    tasks: dict[str, Callable[[], Any]] = {
        "retrieval": lambda: retrieval_task.evaluate(run, retrieval)
    }
    if len(run.manifest.class_names) < 2:
        print("Without labels of two classes there are no kNN and no linear probes.")
    else:
        tasks["knn"] = lambda: knn_task.evaluate(run, knn)
        tasks["linear --quick"] = lambda: sklearn_linear.evaluate_linear_quick(
            run, linear
        )
        if run.manifest.split(VAL_SPLIT):
            tasks["linear"] = lambda: linear_task.evaluate_linear(
                run, linear, start_over=start_over
            )
        else:
            print("Without validation videos there are scikit-learn probes only.")
    num_refused = 0
    for name, evaluate_task in tasks.items():
        try:
            evaluate_task()
        except UserError as error:
            print(f"Left out --task={name}: {error}", flush=True)
            num_refused += 1
            if num_refused == len(tasks):
                raise  # there is nothing to report
    text = report_runs.report_runs([model_dir])
    path = os.path.join(results.folder(run), "report.md")
    write_atomically(path, text)
    print(f"Wrote {path}.")
    return text
