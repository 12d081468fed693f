#!/usr/bin/env bash
# Table 1, column "Super." of "VIE-3DResNet", and its row of table 5.
# Expected: top-1 of the validations 53.22 %; linear probes (--linear_probes) of conv3,
# conv4, conv5: 28.09, 34.40, 30.56 % on ImageNet.
# Differs from the defaults: the network; the loss, which needs labels; the rate drops
# at plateaus, as the authors' steps are not published.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
imagenet_drops=290011,940011
train_row --model=3dresnet --loss=supervised --lr_schedule=plateau
