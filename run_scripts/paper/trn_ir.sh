#!/usr/bin/env bash
# No row in the paper: its IR numbers are those of VIE-Single alone.
# Differs from the defaults: the network; the rate drops at plateaus, as the authors'
# settings have no steps for it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=trn --loss=ir --lr_schedule=plateau
