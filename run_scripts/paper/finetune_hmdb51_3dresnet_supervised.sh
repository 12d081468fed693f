#!/usr/bin/env bash
# Table 2, 3DResNet, "Supervised", HMDB51: from the run of 3dresnet_supervised.sh.
# Expected: top-1 60.2 % with color jitter, 58.7 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are those of the row from
# 3dresnet_la.sh, as the authors' are not published.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=40000,60000
finetune_row hmdb51 --model_dir="$runs/3dresnet_supervised"
