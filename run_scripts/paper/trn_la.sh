#!/usr/bin/env bash
# Table 1, "VIE-TRN".
# Expected of linear read-outs (--read_outs): conv3, conv4, conv5
# 25.72, 39.38, 44.91 % on Kinetics, 27.24, 40.28, 37.44 % on ImageNet.
# Differs from the defaults: the network; the loss; the authors' steps at which the rate
# drops; 1,770,000 steps, some 200,000 behind the last drop.
# The authors started LA from their last VIE-Single of LA, and counted its steps on.
# --init_from cannot take weights of another network, so this run has an IR of its own
# instead.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=trn --loss=la --lr_boundaries=1455011,1570011 --train_steps=1770000
