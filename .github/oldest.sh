#!/usr/bin/env bash
# Does the package work with old versions, too?  In a new virtual environment of $PYTHON (or python3):
#   .github/oldest.sh [notebooks]         the unit tests with the lowest versions that pyproject.toml allows
#   .github/oldest.sh colab [notebooks]   the same with those of Google Colab, all of which the package must leave
# With `notebooks` also the notebook tests.
set -euo pipefail
cd "$(dirname "$0")/.."
case "$*" in
  "" | notebooks | colab | "colab notebooks") ;;
  *) echo "usage: $0 [colab] [notebooks]" >&2; exit 2 ;;
esac
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
"${PYTHON:-python3}" -m venv "$environment"
source "$environment/bin/activate"
pip install -q uv
export UV_COMPILE_BYTECODE=1  # as pip does
if [[ "$*" == colab* ]]; then
  uv pip install -r .github/colab.txt
  pip list --format=freeze >"$environment/before"
  pip install -q -e ".[app,notebooks,test]"  # by pip, as there; uv might choose otherwise
  if pip list --format=freeze | grep -vxFf - "$environment/before"; then
    echo "Installing the package changed these: Colab would have to restart." >&2
    exit 1
  fi
else
  uv pip install --resolution lowest-direct -e ".[app,notebooks,test]"
fi
pytest
if [[ "$*" == *notebooks ]]; then
  pytest -m notebook
fi
