#!/usr/bin/env bash
# IR beside table 3, "2bin-VIE-Single"; no number in the paper.
# Differs from the defaults: bins of 130 frames, each an instance; the authors' steps at
# which the rate drops; 2,060,000 steps, about 100,000 after the last drop.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=single --loss=ir --bin_frames=130 --lr_boundaries=1350011,1960011 \
  --train_steps=2060000
