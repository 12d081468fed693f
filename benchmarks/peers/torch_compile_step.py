"""The step of `torch_step`, with the network in `torch.compile`."""

from __future__ import annotations

import functools

from benchmarks.peers import measurement, torch_step

if __name__ == "__main__":
    measurement.run(functools.partial(torch_step.make_calls, is_compiled=True))
