#!/usr/bin/env bash
# IR beside table 3, "70%-VIE-Single"; no number in the paper.
# Differs from the defaults: 70% of the videos; the authors' steps at which the rate
# drops; 1,180,000 steps, about 100,000 after the last drop.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=single --loss=ir --subset=0.7 --lr_boundaries=875011,1080011 \
  --train_steps=1180000
