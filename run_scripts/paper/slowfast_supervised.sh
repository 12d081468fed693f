#!/usr/bin/env bash
# Table 1, column "Super." of "VIE-Slowfast", and its row of table 5.
# Expected: top-1 of the validations 62.36 %; linear probes (--linear_probes) of conv3,
# conv4, conv5: 20.25, 37.41, 30.75 % on ImageNet.
# Differs from the defaults: the network; the loss, which needs labels; the rate drops
# at plateaus, as the authors' steps are not published; probes average conv5 over space,
# as theirs do.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
imagenet_drops=200011,460011 imagenet_flags=(--pool_conv5)
train_row --model=slowfast --loss=supervised --lr_schedule=plateau
