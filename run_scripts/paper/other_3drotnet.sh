#!/usr/bin/env bash
# Table 2, 3DResNet, "3DRotNet (RGB)": pre-training by rotation.
# Quoted there, from its authors on other data: UCF101 62.9 %, HMDB51 33.7 % after
# fine-tuning.
# Differs from the defaults: --preset=3drotnet, as the authors of VIE trained it again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --preset=3drotnet
