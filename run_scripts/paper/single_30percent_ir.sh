#!/usr/bin/env bash
# IR beside table 3, "30%-VIE-Single"; no number in the paper.
# Differs from the defaults: 30% of the videos; the authors' steps at which the rate
# drops; 1,180,000 steps, about 100,000 after the last drop.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=single --loss=ir --subset=0.3 --lr_boundaries=865011,1080011 \
  --train_steps=1180000
