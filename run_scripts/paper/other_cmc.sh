#!/usr/bin/env bash
# Table 2, AlexNet, "CMC": pre-training by light and colors of a frame.
# Quoted there, from its authors' pre-training on UCF101: UCF101 59.1 %, HMDB51 26.7 %.
# Differs from the defaults: two networks of half the channels of AlexNet, 128
# dimensions of each view, no color jitter.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --model=alexnet --loss=cmc --input=lab --num_filters=32 \
  --embedding_dim=256 --crop=random_resized_crop --color=none
