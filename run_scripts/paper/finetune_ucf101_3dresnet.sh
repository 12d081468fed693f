#!/usr/bin/env bash
# Table 2, 3DResNet, "VIE", UCF101: from the run of 3dresnet_la.sh.
# Expected: top-1 75.5 % with color jitter, 72.3 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the steps at which the rate drops are those of
# finetune_hmdb51_3dresnet.sh, as the authors' settings have none for it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=40000,60000
finetune_row ucf101 --model_dir="$runs/3dresnet_la"
