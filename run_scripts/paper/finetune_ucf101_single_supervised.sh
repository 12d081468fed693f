#!/usr/bin/env bash
# Table 2, ResNet18, "Supervised", UCF101: from the run of single_supervised.sh.
# Expected: top-1 83.5 % with color jitter,
# 81.0 % with multi-scale augmentation (--multi_scale).
# Differs from the defaults: nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
finetune_row ucf101 --model_dir="$runs/single_supervised"
