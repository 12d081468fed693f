# What the scripts of the rows share; each of them sources it.
#
# From the environment:
#   DATA_ROOT   folder of data sets as data_prep.convert writes them: kinetics400/
#   RUN_ROOT    folder of the runs, each in a folder named after its script
#   PYTHON      interpreter that VIE-TF is installed for; `python` where it is not set
#
# Rows with LA take their first 50,000 steps with IR, the default of --ir_steps.  The
# authors started LA from an IR run's checkpoint of that step, with the same optimizer,
# bank and step count: --loss=la does so in one run.
#
# Arguments of a script go to train.py or evaluate.py behind the row's own flags and so
# win over them.  --smoke goes first: two steps of a tiny network in RUN_ROOT/smoke, to
# see that everything fits together on a data set of any size.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

for variable in DATA_ROOT RUN_ROOT; do
  if [ -z "${!variable:-}" ]; then
    echo "error: $variable is not set; see run_scripts/paper/row.sh" >&2
    exit 1
  fi
done

runs=$RUN_ROOT
smoke=()
if [ "${1:-}" = --smoke ]; then
  shift
  runs=$RUN_ROOT/smoke
  smoke=(--flagfile="$repository/run_scripts/paper/smoke.flags")
fi
further=("$@")

# train_row FLAGS: trains the row's network, or goes on with it.
train_row() {
  exec "${PYTHON:-python}" "$repository/train.py" "$@" "${smoke[@]}" \
    --data_dir="$DATA_ROOT/kinetics400" --model_dir="$runs/$(basename "$0" .sh)" \
    "${further[@]}"
}

# evaluate_row FLAGS: evaluates what other rows have trained, in the folders $runs/ROW.
evaluate_row() {
  exec "${PYTHON:-python}" "$repository/evaluate.py" "$@" \
    --data_dir="$DATA_ROOT/kinetics400" "${further[@]}"
}
