#!/usr/bin/env bash
# Table 1, "VIE-TwoStream-SF": the runs of single_la.sh and slowfast_la.sh side by side.
# Expected of linear read-outs, which evaluate.py does not have yet: conv3, conv4, conv5
# 29.89, 43.50, 48.53 % on Kinetics, 23.23, 40.73, 43.69 % on ImageNet.
# What evaluate.py does so far is kNN and retrieval.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
evaluate_row --single_from="$runs/single_la" --dynamic_from="$runs/slowfast_la" \
  --model_dir="$runs/two_stream_sf"
