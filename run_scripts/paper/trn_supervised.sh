#!/usr/bin/env bash
# Table 1, column "Super." of "VIE-TRN", and its row of table 5.
# Expected: top-1 of the validations 59.43 %; linear probes (--linear_probes) of conv3,
# conv4, conv5: 22.82, 41.13, 39.15 % on ImageNet.
# Differs from the defaults: the network; the loss, which needs labels; the rate drops
# at plateaus, as the authors' steps are not published.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
imagenet_drops=310011,980011
train_row --model=trn --loss=supervised --lr_schedule=plateau
