# Sets PYTHON to the interpreter that VIE-TF is installed for; the scripts of paper/
# source it.  An activated environment comes before the one that quickstart.sh makes.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -z "${PYTHON:-}" ]; then
  PYTHON=python
  if [ -z "${VIRTUAL_ENV:-}" ] && [ -x "$repository/.venv/bin/python" ]; then
    PYTHON=$repository/.venv/bin/python
  fi
  if ! "$PYTHON" -c 'import sys, importlib.util as found
sys.exit(found.find_spec("tensorflow") is None)' >/dev/null 2>&1; then
    echo "error: $PYTHON has no TensorFlow: activate the environment of VIE-TF (source .venv/bin/activate), or name its interpreter as by: export PYTHON=/path/to/python" >&2
    exit 1
  fi
fi
