#!/usr/bin/env bash
# Table 2, 3DResNet, "VIE", UCF101: from the run of 3dresnet_la.sh.
# Expected: top-1 75.5 % with color jitter,
# 72.3 % with multi-scale augmentation (--multi_scale).
# Differs from the defaults: nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
finetune_row ucf101 --model_dir="$runs/3dresnet_la"
