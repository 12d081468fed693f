#!/usr/bin/env bash
# No row in the paper: its IR numbers are those of VIE-Single alone.
# Differs from the defaults: the network; the authors' steps at which the rate drops;
# 1,580,000 steps, about 100,000 after the last drop.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=slow --loss=ir --lr_boundaries=1280011,1480011 --train_steps=1580000
