# Creates the virtual environment of the project; the other scripts source this file.
#
# make_environment FOLDER [EXTRA]: creates FOLDER with tested versions, unless it has
# them already, and sets PYTHON to its interpreter.  It takes the newest Python that works,
# or the one that VIE_TF_PYTHON names:
#
#   VIE_TF_PYTHON=python3.11 ./run_scripts/quickstart.sh

# Pythons of TensorFlow 2.21 and of 2.15, the newest first.
NEW_PYTHONS="3.13 3.12"
OLD_PYTHONS="3.11 3.10 3.9"

# Whether a command is a Python that TensorFlow has packages for.  Some that exist fail.
is_python() {
  "$1" -c 'import sys, venv, ensurepip
sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

# find_python VERSION...: prints the first that works, here or among pyenv's.
find_python() {
  local version candidate
  for version in "$@"; do
    for candidate in "python$version" \
      "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/$version".*/bin/python; do
      if is_python "$candidate"; then
        echo "$candidate"
        return
      fi
    done
  done
  for candidate in python3 python; do
    if is_python "$candidate" && "$candidate" -c 'import sys
sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv[1:])' "$@"; then
      echo "$candidate"
      return
    fi
  done
}

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

# constraints_of PYTHON: the file with the versions that are tested with it.
constraints_of() {
  case $(python_version "$1") in
    3.9 | 3.10 | 3.11) echo constraints.txt ;;
    *) echo constraints-tf2.21.txt ;;
  esac
}

# It returns 1 if packages cannot be installed.
make_environment() {
  local folder=$1 extra=${2:-} root wanted found="" package
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  package="$root"
  if [ -n "$extra" ]; then package="$root[$extra]"; fi
  PYTHON="$folder/bin/python"
  if [ -n "${VIE_TF_PYTHON:-}" ]; then
    found=$VIE_TF_PYTHON
    if ! is_python "$found"; then
      echo "error: VIE_TF_PYTHON=$found is no Python 3.9 to 3.13 with venv" >&2
      exit 1
    fi
  fi
  wanted=$(cat "$root/pyproject.toml" "$root"/constraints*.txt | cksum)
  if [ -x "$PYTHON" ] && "$PYTHON" -c "" 2>/dev/null; then
    if [ -n "$found" ] && [ "$(python_version "$found")" != "$(python_version "$PYTHON")" ]
    then
      rm -f "$folder/.installed"
    elif [ "$(cat "$folder/.installed" 2>/dev/null)" = "$wanted" ]; then
      return
    else
      found=$PYTHON  # which is there, and gets other packages
    fi
  fi
  if [ -z "$found" ]; then found=$(find_python $NEW_PYTHONS $OLD_PYTHONS); fi

  echo "Setting up $folder (TensorFlow is a download of 600 MB) ..."
  if [ "$found" = "$PYTHON" ]; then
    :
  elif command -v uv >/dev/null 2>&1; then
    rm -rf "$folder"
    uv venv --quiet --python "${found:->=3.9,<3.14}" --seed "$folder" || return
  elif [ -n "$found" ]; then
    "$found" -m venv --clear "$folder" || return
  else
    echo "error: no Python 3.9 to 3.13 with venv was found; install one (or uv, which" \
      "brings its own) and try again." >&2
    exit 1
  fi
  local constraints
  constraints="$root/$(constraints_of "$PYTHON")"
  # An editable install: the sources stay the ones in this folder.
  if command -v uv >/dev/null 2>&1; then
    uv pip install --quiet --python "$PYTHON" -c "$constraints" -e "$package" || return
  else
    "$PYTHON" -m pip install --quiet --disable-pip-version-check \
      -c "$constraints" -e "$package" || return
  fi
  echo "$wanted" >"$folder/.installed"
}
