#!/usr/bin/env bash
# Table 2, 3DResNet, "VIE", HMDB51: from the run of 3dresnet_la.sh.
# Expected: top-1 44.6 % with color jitter, 44.8 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=40000,60000
finetune_row hmdb51 --model_dir="$runs/3dresnet_la"
