#!/usr/bin/env bash
# Table 2, ResNet18, "Supervised", UCF101: from the run of single_supervised.sh.
# Expected: top-1 83.5 % with color jitter, 81.0 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=15000,35000
finetune_row ucf101 --model_dir="$runs/single_supervised"
