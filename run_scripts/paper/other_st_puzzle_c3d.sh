#!/usr/bin/env bash
# Table 2, C3D, "ST-puzzle": pre-training by space-time cubic puzzles.
# Quoted there, from its authors: UCF101 60.6 %, HMDB51 28.3 % (multi-scale).
# Differs from the defaults: --preset=stpuzzle and the network; cells of --smoke need 48
# pixels.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
if [ "${#smoke[@]}" -gt 0 ]; then smoke+=(--crop_size=48); fi
train_row --preset=stpuzzle --model=c3d
