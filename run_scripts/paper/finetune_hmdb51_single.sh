#!/usr/bin/env bash
# Table 2, ResNet18, "VIE", HMDB51: from the run of single_la.sh.
# Expected: top-1 41.2 % with color jitter, 38.4 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=10000,20000
finetune_row hmdb51 --model_dir="$runs/single_la"
