#!/usr/bin/env bash
# Table 2, 3DResNet, "ST-puzzle": pre-training by space-time cubic puzzles.
# Quoted there, from its authors: UCF101 65.8 %, HMDB51 33.7 % (multi-scale).
# Differs from the defaults: --preset=stpuzzle; cells of --smoke need 48 pixels.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
if [ "${#smoke[@]}" -gt 0 ]; then smoke+=(--crop_size=48); fi
train_row --preset=stpuzzle
