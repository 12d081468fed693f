#!/usr/bin/env bash
# Table 2, SlowFast, "VIE", HMDB51: from the run of slowfast_la.sh.
# Expected: top-1 50.1 % with color jitter, 46.5 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=15000,30000 multi_scale_drops=20000,30000
finetune_row hmdb51 --model_dir="$runs/slowfast_la"
