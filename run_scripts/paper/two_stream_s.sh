#!/usr/bin/env bash
# Table 1, "VIE-TwoStream-S": the runs of single_la.sh and slow_la.sh side by side.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5: 26.38, 41.80,
# 47.13 % on Kinetics, 23.98, 40.52, 44.02 % on ImageNet.
# Without --linear_probes: kNN.
# Differs from the defaults: on Kinetics the static stream sees all frames of the clip,
# averaged.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=104998,244998 kinetics_flags=(--static_frames=all)
imagenet_drops=230011,570011
evaluate_row --single_from="$runs/single_la" --dynamic_from="$runs/slow_la" \
  --model_dir="$runs/two_stream_s"
