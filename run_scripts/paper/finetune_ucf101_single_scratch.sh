#!/usr/bin/env bash
# Table 2, ResNet18, "Scratch", UCF101: the network untrained. Needs no other row.
# Expected: top-1 57.3 % with color jitter, 46.7 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: the network starts untrained, with the rate and weight
# decay of appendix E for it; the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=9000,13000
scratch_row ucf101 single
