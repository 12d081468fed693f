#!/usr/bin/env bash
# Table 2, C3D, "MoAp": pre-training by motion and appearance statistics.
# Quoted there, from its authors: UCF101 61.2 %, HMDB51 33.4 %.
# Differs from the defaults: --preset=moap.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/row.sh"
train_row --preset=moap
