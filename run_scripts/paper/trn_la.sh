#!/usr/bin/env bash
# Table 1, "VIE-TRN".
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5: 25.72, 39.38,
# 44.91 % on Kinetics, 27.24, 40.28, 37.44 % on ImageNet.
# Differs from the defaults: the network; the loss; the start, which is the end of
# single_la.sh, as it was the authors' (all but the head is taken over, and its steps
# count); the authors' steps at which the rate drops; 1,670,000 steps, about 100,000
# after the last drop.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=184998,379998 imagenet_drops=310011,980011
if [ "${#smoke[@]}" -gt 0 ]; then smoke+=(--train_steps=4); fi # two are single_la's
train_row --model=trn --loss=la --init_from="$runs/single_la" \
  --lr_boundaries=1455011,1570011 --train_steps=1670000
