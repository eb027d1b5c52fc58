#!/bin/sh
# After train.py has ended: score the exported files and fill in the README.
#   finish.sh WORK [PYTHON]
set -eu
cd "$(dirname "$0")"
"${2:-python3}" check_model.py
"${2:-python3}" evaluate.py "$1"
ls -l model.safetensors
