# Creates the virtual environment of the project; the other scripts source this file.
#
# make_environment FOLDER [EXTRA]: creates FOLDER with the versions of constraints.txt,
# unless it has them already, and sets PYTHON to its interpreter.

find_python() {
  local candidate
  for candidate in python3.11 python3.10 python3.9 python3 python; do
    if "$candidate" -c 'import sys, venv, ensurepip
sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 11))' >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
}

make_environment() {
  local folder=$1 extra=${2:-} root stamp wanted found package
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  stamp="$folder/.installed"
  package="$root"
  if [ -n "$extra" ]; then package="$root[$extra]"; fi
  PYTHON="$folder/bin/python"
  wanted=$(cat "$root/setup.py" "$root/constraints.txt" | cksum)
  if [ -x "$PYTHON" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi

  echo "Setting up $folder (TensorFlow is a download of 600 MB) ..."
  found=$(find_python)
  # An editable install: the sources stay the ones in this folder.
  if command -v uv >/dev/null 2>&1; then
    uv venv --quiet --python "${found:->=3.9,<3.12}" --seed "$folder"
    uv pip install --quiet --python "$PYTHON" -c "$root/constraints.txt" -e "$package"
  elif [ -n "$found" ]; then
    "$found" -m venv "$folder"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check \
      -c "$root/constraints.txt" -e "$package"
  else
    echo "error: no Python 3.9, 3.10 or 3.11 with venv was found, which TensorFlow 2.15" \
      "needs; install one (or uv, which brings its own) and try again." >&2
    exit 1
  fi
  echo "$wanted" >"$stamp"
}
