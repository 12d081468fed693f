#!/usr/bin/env bash
# Table 2, ResNet18, "Supervised", HMDB51: from the run of single_supervised.sh.
# Expected: top-1 52.9 % with color jitter, 49.9 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=10000,20000 multi_scale_drops=15000,35000
finetune_row hmdb51 --model_dir="$runs/single_supervised"
