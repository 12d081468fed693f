#!/usr/bin/env bash
# The main job, end to end, on two cores: videos -> records -> IR -> LA -> kNN -> picture.
#
#   ./run_scripts/quickstart.sh                on videos that it generates
#   ./run_scripts/quickstart.sh MY_VIDEOS      on a folder of yours; sub-folders are labels
#
# Results go to quickstart/ (or QUICKSTART_DIR).  Run it again and it goes on from what
# is there.
set -euo pipefail
videos=${1:-}
if [ -n "$videos" ]; then
  [ -d "$videos" ] || { echo "error: there is no folder $videos" >&2; exit 1; }
  videos=$(cd "$videos" && pwd)
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source run_scripts/environment.sh
make_environment "$PWD/.venv"
