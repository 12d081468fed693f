#!/usr/bin/env bash
# Table 2, 3DResNet, "Scratch", UCF101: the network untrained. Needs no other row.
# Expected: top-1 60.0 % with color jitter, 47.4 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the network starts untrained, with the rate and weight
# decay of appendix E for it; the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=10000,16000
scratch_row ucf101 3dresnet
