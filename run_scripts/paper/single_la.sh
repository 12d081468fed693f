#!/usr/bin/env bash
# Table 1 and the first row of table 3, "VIE-Single". Table 4, the two-stream rows and
# VIE-TRN are made of this run.
# Expected of linear probes (--linear_probes) of conv3, conv4, conv5:
# 23.84, 38.25, 44.41 % on Kinetics, 25.02, 40.49, 42.33 % on ImageNet.
# Differs from the defaults: the loss; the authors' steps at which the rate drops;
# 1,420,000 steps, about 200,000 after the last drop. Not more, as trn_la.sh
# continues from here and drops its rate at 1,455,011.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=single --loss=la --lr_boundaries=1020011,1220011 \
  --train_steps=1420000
