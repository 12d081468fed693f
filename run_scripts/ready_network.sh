#!/usr/bin/env bash
# Trains the network that comes with the package (embed.py --network=people), and puts
# it there: 3dresnet by IR on the world of people.  docs/people_network.md is its card.
#
#   ./run_scripts/ready_network.sh [STUDY]
#
# About half an hour on two cores, most of it for rendering.  Run it again and it continues.
set -euo pipefail
study=${1:-paper_in_miniature}
"$(dirname "${BASH_SOURCE[0]}")/paper_in_miniature.sh" --rows=3dresnet-IR-0 "$study"
source "$(dirname "${BASH_SOURCE[0]}")/python.sh" # sets repository and PYTHON
study=$(realpath "$study")
cd "$repository"
exec "$PYTHON" -m benchmarks.paper_in_miniature.ready_network "$study"
