"""Writes parity.json next to this file: the reference values that tests compare.

Source: the values that the authors' TF1 code computes on the weights of
`tests/deterministic_weights.py`; of them, what the tests compare.

    python tests/parity/compact.py <the full parity.json>
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import numpy as np


def rounded(value: Any) -> Any:
    """Writes float32 numbers with no more digits than they have."""
    if isinstance(value, float):
        return float(str(np.float32(value)))
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def compact(model: dict[str, Any]) -> dict[str, Any]:
    """Keeps one copy of what both losses share."""
    shared = model["LA"]
    return {
        "clips_shape": shared["input_shape"],
        "rows": shared["index"],
        "noise_rows": model["IR"]["noise_index"],
        "num_trainable": shared["trainable_parameter_count"],
        "variables": {
            name: shape
            for name, shape in shared["variables"].items()
            if not name.startswith("instance/")
        },
        "embedding_inference": model["eval"]["embedding"],
        "embedding_training": shared["embedding_train"],
        "activations": [
            {key: layer[key] for key in ("mean", "l2", "head")}
            for layer in model["eval"]["endpoints"]
        ],
        "moving_statistics": shared["moving_stats_after_step"],
        "loss": {task: model[task]["loss"] for task in ("LA", "IR")},
        "ir_terms": [model["IR"][key] for key in ("loss_model", "loss_noise")],
        "new_rows": shared["new_memory_rows"],
        "weight_decay": shared["l2_loss_weighted"],
        "gradient_norms": {task: model[task]["grad_l2_norm"] for task in ("LA", "IR")},
    }


def main() -> None:
    """Reads the file that the command line names and writes ours."""
    full = json.loads(pathlib.Path(sys.argv[1]).read_text())
    content = {
        name: rounded(compact(model))
        for name, model in full.items()
        if not name.startswith("_")
    }
    lines = json.dumps(content, separators=(",", ":")).replace('},"', '},\n"')
    pathlib.Path(__file__).with_name("parity.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
