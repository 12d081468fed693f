#!/usr/bin/env bash
# Table 2, AlexNet, "OPN": pre-training by the order of frames, here of ResNet-18.
# Quoted there, from its authors' pre-training on UCF101: UCF101 56.3 %, HMDB51 22.1 %.
# Differs from the defaults: --preset=opn, as the authors of VIE trained it again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --preset=opn
