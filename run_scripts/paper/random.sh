#!/usr/bin/env bash
# Table 1, "Random": the network before its first step.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5:
# 9.40, 8.43, 6.84 % on Kinetics, 7.98, 7.78, 6.23 % on ImageNet.
# Differs from the defaults: no steps.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=409998,664998 imagenet_drops=370011,524998
if [ "${#smoke[@]}" -gt 0 ]; then smoke+=(--train_steps=0); fi
train_row --model=single --train_steps=0
