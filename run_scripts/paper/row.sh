# What the scripts of the rows share; each of them sources it.
#
# From the environment:
#   DATA_ROOT   folder of data sets as data_prep.convert writes them: kinetics400/, and
#               for --read_outs imagenet/, for table 2 ucf101/ and hmdb51/ (split 1)
#   RUN_ROOT    folder of the runs, each in a folder named after its script
#   PYTHON      interpreter that VIE-TF is installed for; `python` where it is not set
#
# Rows with LA take their first 50,000 steps with IR, the default of --ir_steps.  The
# authors started LA from an IR run's checkpoint of that step, with the same optimizer,
# bank and step count: --loss=la does so in one run.
#
# Arguments of a script go to train.py or evaluate.py behind the row's own flags and so
# win over them; --splits=A,B,C takes the place of the row's data.  These go first:
#   --smoke        two steps of a tiny network in RUN_ROOT/smoke, to see that everything
#                  fits together on data sets of any size
#   --read_outs    trains linear read-outs of the row, which has to be trained, on
#                  Kinetics and on ImageNet; --read_outs=kinetics400 on one of them
#   --multi_scale  in the rows of table 2: multi-scale augmentation

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

for variable in DATA_ROOT RUN_ROOT; do
  if [ -z "${!variable:-}" ]; then
    echo "error: $variable is not set, as by: export DATA_ROOT=/data RUN_ROOT=/runs (see run_scripts/paper/row.sh)" >&2
    exit 1
  fi
done

runs=$RUN_ROOT
smoke=() evaluate_smoke=() read_outs=() augmentation=()
while :; do
  case "${1:-}" in
    --smoke)
      runs=$RUN_ROOT/smoke
      smoke=(--flagfile="$repository/run_scripts/paper/smoke.flags")
      evaluate_smoke=(--flagfile="$repository/run_scripts/paper/evaluate_smoke.flags")
      ;;
    --read_outs) read_outs=(kinetics400 imagenet) ;;
    --read_outs=*) IFS=, read -ra read_outs <<< "${1#*=}" ;;
    --multi_scale) augmentation=(--crop=multi_scale_crop --color=none) ;;
    *) break ;;
  esac
  shift
done
further=("$@")

# read_out FLAGS: trains read-outs of conv1 .. conv5, on pictures as static videos.
read_out() {
  for name in "${read_outs[@]}"; do
    static=()
    if [ "$name" = imagenet ]; then static=(--static_video); fi
    "${PYTHON:-python}" "$repository/evaluate.py" --task=linear "$@" \
      "${evaluate_smoke[@]}" "${static[@]}" --data_dir="$DATA_ROOT/$name" \
      "${further[@]}"
  done
}

# train_row FLAGS: trains the row's network, or goes on with it.
train_row() {
  model_dir=$runs/$(basename "$0" .sh)
  if [ "${#read_outs[@]}" -gt 0 ]; then
    read_out --model_dir="$model_dir"
    return
  fi
  exec "${PYTHON:-python}" "$repository/train.py" "$@" "${smoke[@]}" \
    --data_dir="$DATA_ROOT/kinetics400" --model_dir="$model_dir" "${further[@]}"
}

# evaluate_row FLAGS: evaluates what other rows have trained, in the folders $runs/ROW.
evaluate_row() {
  if [ "${#read_outs[@]}" -gt 0 ]; then
    read_out "$@"
    return
  fi
  exec "${PYTHON:-python}" "$repository/evaluate.py" "$@" \
    --data_dir="$DATA_ROOT/kinetics400" "${further[@]}"
}

# scratch_row DATA MODEL: fine-tunes an untrained network, which needs no other row: its
# run, named after the script, has the settings of the network and no steps.
scratch_row() {
  model_dir=$runs/$(basename "$0" .sh)
  if [ ! -e "$model_dir/config.json" ]; then
    "${PYTHON:-python}" "$repository/train.py" --model="$2" "${smoke[@]}" \
      --train_steps=0 --data_dir="$DATA_ROOT/$1" --model_dir="$model_dir"
  fi
  finetune_row "$1" --model_dir="$model_dir" --from_scratch
}

# finetune_row DATA FLAGS: fine-tunes what another row has trained, in $runs/ROW.
finetune_row() {
  data=(--data_dir="$DATA_ROOT/$1")
  shift
  for flag in "${further[@]}"; do
    case $flag in --splits=*) data=() ;; esac
  done
  exec "${PYTHON:-python}" "$repository/evaluate.py" --task=finetune "$@" \
    "${augmentation[@]}" "${evaluate_smoke[@]}" "${data[@]}" "${further[@]}"
}
