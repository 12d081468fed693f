#!/usr/bin/env bash
# Table 1, column "Super." of "VIE-Single", and its row of table 5.
# Expected: top-1 of the validations 57.59 %; linear probes (--linear_probes) of conv3,
# conv4, conv5: 22.32, 37.82, 38.26 % on ImageNet.
# Differs from the defaults: the loss, which needs labels; the rate drops at plateaus,
# as the authors' steps are not published; probes average conv5 over space, as theirs
# do.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
imagenet_drops=90001,190001 imagenet_flags=(--pool_conv5)
train_row --model=single --loss=supervised --lr_schedule=plateau
