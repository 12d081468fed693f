#!/usr/bin/env bash
# Whether VIE-TF computes the same on this machine's accelerator, and how fast: parity,
# the training step in three precisions with and without XLA, the input beside it,
# k-means and both searches.  Needs no network; some minutes on a GPU.
#
#   ./benchmarks/gpu_check.sh [--models=single,slow] [--num_videos=239888] ...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec "${VIE_TF_PYTHON:-python}" -m benchmarks.gpu_check "$@"
