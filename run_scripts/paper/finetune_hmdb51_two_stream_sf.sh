#!/usr/bin/env bash
# Table 2, "VIE-TwoStream-SF", HMDB51: the runs of single_la.sh and slowfast_la.sh
# side by side.
# Expected: top-1 52.5 % with color jitter,
# 50.5 % with multi-scale augmentation (--multi_scale).
# Differs from the defaults: batches of 64, as in the authors' code.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
finetune_row hmdb51 --batch_size=64 --single_from="$runs/single_la" \
  --dynamic_from="$runs/slowfast_la" --model_dir="$runs/two_stream_sf"
