#!/usr/bin/env bash
# Table 1, "VIE-TwoStream-SF": the runs of single_la.sh and slowfast_la.sh side by side.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5: 29.89, 43.50,
# 48.53 % on Kinetics, 23.23, 40.73, 43.69 % on ImageNet.
# Without --linear_probes: kNN.
# Differs from the defaults: on Kinetics the static stream sees all frames of the clip,
# averaged.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=134998,259998 kinetics_flags=(--static_frames=all)
imagenet_drops=160011,460011
evaluate_row --single_from="$runs/single_la" --dynamic_from="$runs/slowfast_la" \
  --model_dir="$runs/two_stream_sf"
