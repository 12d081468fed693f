#!/usr/bin/env bash
# With TensorFlow 2.21: parity, resuming, saving, and a small training by the installed
# package, away from this folder.  Where Python 3.12 and 3.13 or packages are missing, a
# line says so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source run_scripts/environment.sh
export VIE_TF_PYTHON
VIE_TF_PYTHON=$(find_python $NEW_PYTHONS)
if [ -z "$VIE_TF_PYTHON" ]; then
  echo "TensorFlow 2.21 was left out: there is no Python 3.12 or 3.13 here."
  exit 0
fi
if ! make_environment "$PWD/.venv-newest" dev; then
  echo "TensorFlow 2.21 was left out: its packages could not be installed."
  exit 0
fi

# Arguments are more tests, such as tests/end_to_end.
"$PYTHON" -m pytest -n 2 --dist=loadfile --no-loadscope-reorder \
  tests/test_keras.py tests/test_quiet_import.py tests/test_wheel.py \
  tests/models tests/objectives tests/runs tests/data_prep/decode tests/storage \
  tests/training/test_start.py tests/training/test_trajectory.py \
  tests/training/test_schedules.py "$@"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The package alone: a second environment would be another download of 600 MB.
"$PYTHON" -m pip wheel --quiet --no-deps --no-build-isolation -w "$work" .
"$PYTHON" -m pip install --quiet --no-deps --target "$work/site" "$work"/*.whl
export PYTHONPATH="$work/site"
cd "$work"
vie_tf() { "$PYTHON" -m vie_tf "$@"; }
vie_tf synthesize --output_dir=videos --num_videos=64 --size=64 --seconds=2
vie_tf convert --videos=videos --output_dir=data --shortest_side=64
vie_tf train --preset=small --data_dir=data --model_dir=run \
  --train_steps=20 --batch_size=8 --num_filters=8 --color=none
vie_tf evaluate --task=knn --data_dir=data --model_dir=run
vie_tf embed --videos=videos --model_dir=run --output=embeddings
vie_tf search --query="$(find videos -name '*.mp4' | head -1)" --index=embeddings
vie_tf embed --videos=videos --network=people --output=by_people
