#!/usr/bin/env bash
# Table 2, "VIE-TwoStream-SF", HMDB51: the runs of single_la.sh and slowfast_la.sh side
# by side.
# Expected: top-1 52.5 % with color jitter, 50.5 % with multi-scale augmentation
# (--multi_scale).
# Differs from the defaults: batches of 64, the static stream sees all frames of the
# clip, averaged, and the steps at which the rate drops, all as in the authors' code.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
color_drops=10000,20000
finetune_row hmdb51 --batch_size=64 --static_frames=all --single_from="$runs/single_la" \
  --dynamic_from="$runs/slowfast_la" --model_dir="$runs/two_stream_sf"
