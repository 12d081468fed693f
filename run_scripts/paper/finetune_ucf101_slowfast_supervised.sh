#!/usr/bin/env bash
# Table 2, SlowFast, "Supervised", UCF101: from the run of slowfast_supervised.sh.
# Expected: top-1 89.7 % with color jitter,
# 88.4 % with multi-scale augmentation (--multi_scale).
# Differs from the defaults: nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
finetune_row ucf101 --model_dir="$runs/slowfast_supervised"
