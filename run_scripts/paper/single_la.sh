#!/usr/bin/env bash
# Table 1 and the first row of table 3, "VIE-Single". Table 4, the two-stream rows and
# VIE-TRN are made of this run.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5: 23.84, 38.25,
# 44.41 % on Kinetics, 25.02, 40.49, 42.33 % on ImageNet.
# Differs from the defaults: the loss; the authors' steps at which the rate drops;
# 1,375,000 steps, as the authors' checkpoint. Not more, as trn_la.sh continues from
# here and drops its rate at 1,455,011.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
kinetics_drops=235099,519998 imagenet_drops=116301,516691
train_row --model=single --loss=la --lr_boundaries=1020011,1220011 \
  --train_steps=1375000
