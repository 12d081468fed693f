#!/usr/bin/env bash
# Table 2, 3DResNet, "Supervised", UCF101: from the run of 3dresnet_supervised.sh.
# Expected: top-1 84.8 % with color jitter,
# 84.4 % with multi-scale augmentation (--multi_scale).
# Differs from the defaults: nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
finetune_row ucf101 --model_dir="$runs/3dresnet_supervised"
