#!/usr/bin/env bash
# From videos to an evaluated embedding, on two cores: records, IR, LA, kNN, picture.
#
#   ./run_scripts/quickstart.sh                on generated videos
#   ./run_scripts/quickstart.sh MY_VIDEOS      on a folder of yours; sub-folders are labels
#
# Results go to quickstart/ (or to the folder that QUICKSTART_DIR names).  Run it again
# and it continues.
set -euo pipefail

if [ $# -gt 1 ]; then
  echo "error: give one folder of videos, or none; $# arguments were given" >&2
  exit 1
fi
my_videos=${1:-}
if [ -n "$my_videos" ]; then
  if [ ! -d "$my_videos" ]; then
    echo "error: there is no folder $my_videos" >&2
    exit 1
  fi
  my_videos=$(cd "$my_videos" && pwd)
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=${QUICKSTART_DIR:-$root/quickstart}
mkdir -p "$results"
results=$(cd "$results" && pwd)
cd "$root"
source run_scripts/environment.sh
make_environment "$PWD/.venv"

# Each folder of videos has its own results.
name=generated
if [ -n "$my_videos" ]; then
  name=$(basename "$my_videos")-$(printf %s "$my_videos" | cksum | cut -d' ' -f1)
fi
work="$results/$name"
data="$work/data"
run="$work/run"

say() { printf '\n== %s\n' "$*"; }

if [ -n "$my_videos" ]; then
  videos=$my_videos
  say "1/4  Your videos: $videos"
else
  videos="$work/videos"
  say "1/4  Generating 600 videos of 8 motions in $videos"
  "$PYTHON" -m data_prep.synthesize --output_dir="$videos" --num_videos=600
fi

say "2/4  Converting them to records in $data"
# The small network of this demonstration takes crops of 48 pixels.
"$PYTHON" -m data_prep.convert --videos="$videos" --output_dir="$data" --shortest_side=96

settings=(--preset=small)
if [ -n "$my_videos" ]; then
  say "3/4  Training a small 3D ResNet"
else
  say "3/4  Training a small 3D ResNet: IR, then LA"
  # The colors of generated videos vary from scene to scene without jitter.
  settings+=(--color=none --loss=la --ir_steps=300 --train_steps=400)
fi
"$PYTHON" train.py "${settings[@]}" --data_dir="$data" --model_dir="$run"

say "4/4  What was learned"
"$PYTHON" evaluate.py --task=knn --compare_untrained --compare_baselines \
  --data_dir="$data" --model_dir="$run" || echo "There is no accuracy; look at the picture."
"$PYTHON" evaluate.py --task=retrieval --data_dir="$data" --model_dir="$run"

say "Done"
echo "Picture:      $run/eval/retrieval.png"
echo "Page:         $run/eval/retrieval.html"
echo "Numbers:      $run/eval/"
echo "TensorBoard:  $PWD/.venv/bin/tensorboard --logdir=$run"
if [ -z "$my_videos" ]; then
  echo "Next:         ./run_scripts/quickstart.sh FOLDER_OF_YOUR_VIDEOS"
else
  echo "Next:         $PYTHON embed.py --videos=$my_videos --model_dir=$run --output=embeddings"
fi
