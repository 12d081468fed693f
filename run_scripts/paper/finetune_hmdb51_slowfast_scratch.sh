#!/usr/bin/env bash
# Table 2, SlowFast, "Scratch", HMDB51: the network untrained. Needs no other row.
# Expected: top-1 21.4 % with multi-scale augmentation (--multi_scale); the number with
# color jitter is not legible in the copy of the paper that was used.
# Differs from the defaults: the network starts untrained, with the rate and weight
# decay of appendix E for it; the steps at which the rate drops are the authors'.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=9000,13000 multi_scale_drops=13000,18000
scratch_row hmdb51 slowfast
