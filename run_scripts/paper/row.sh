# What the scripts of all rows have in common; each of them sources it.
#
# From the environment:
#   DATA_ROOT   folder of data sets that data_prep.convert has written: kinetics400/;
#               for --linear_probes also imagenet/; for table 2 ucf101/ and hmdb51/
#               (split 1)
#   RUN_ROOT    folder of the runs, each in a folder named after its script
#   PYTHON      interpreter that VIE-TF is installed for, if it is not that of the
#               activated environment or of .venv
#
# Rows with LA take their first 50,000 steps with IR, the default of --ir_steps.  The
# authors started LA from a checkpoint of an IR run at that step, with the same
# optimizer, memory bank and step: --loss=la does so in one run.
#
# A script says with variables how the authors trained on labels; what is theirs and what
# had to be chosen stands in docs/decisions/training.md:
#   kinetics_drops, imagenet_drops   steps of linear probes after which the rate drops;
#                                    without them, those of VIE-Single
#   kinetics_flags, imagenet_flags   further flags of linear probes on these data
#   color_drops, multi_scale_drops   the same steps of fine-tuning with either
#                                    augmentation; the second ones are the first ones
#                                    where a script has none
#
# Arguments of a script follow the row's own flags for train.py or evaluate.py, and so
# win over them; --splits=A,B,C replaces the row's data.  These come first:
#   --smoke          takes two steps of a tiny network in RUN_ROOT/smoke, to see that
#                    everything fits together on data sets of any size
#   --linear_probes  trains linear probes of the row, which has to be trained already, on
#                    Kinetics and on ImageNet; --linear_probes=kinetics400 on one of them
#   --multi_scale    uses multi-scale augmentation in the rows of table 2

source "$(dirname "${BASH_SOURCE[0]}")/../python.sh" # sets repository and PYTHON

for variable in DATA_ROOT RUN_ROOT; do
  if [ -z "${!variable:-}" ]; then
    echo "error: $variable is not set, as by: export DATA_ROOT=/data RUN_ROOT=/runs (see run_scripts/paper/row.sh)" >&2
    exit 1
  fi
done

runs=$RUN_ROOT
smoke=() evaluate_smoke=() probed=() augmentation=()
kinetics_drops=235099,519998 kinetics_flags=()
imagenet_drops=116301,516691 imagenet_flags=()
color_drops='' multi_scale_drops=''
while :; do
  argument=${1:-}
  case $argument in
    --read_outs*)
      echo "--read_outs is now called --linear_probes. The old name goes with the next release." >&2
      argument=--linear_probes${argument#--read_outs}
      ;;
  esac
  case $argument in
    --smoke)
      runs=$RUN_ROOT/smoke
      smoke=(--flagfile="$repository/run_scripts/paper/smoke.flags")
      evaluate_smoke=(--flagfile="$repository/run_scripts/paper/evaluate_smoke.flags")
      ;;
    --linear_probes) probed=(kinetics400 imagenet) ;;
    --linear_probes=*) IFS=, read -ra probed <<< "${argument#*=}" ;;
    --multi_scale) augmentation=(--crop=multi_scale_crop --color=none) ;;
    *) break ;;
  esac
  shift
done
further=("$@")

# schedule DROPS STEPS: flags of a training that ends STEPS after the last of its drops.
schedule() {
  echo "--lr_schedule=boundaries --lr_boundaries=$1 --train_steps=$((${1##*,} + $2))"
}

# probe FLAGS: trains linear probes of conv1 .. conv5, on pictures as static videos with
# the authors' augmentation of pictures.
probe() {
  for name in "${probed[@]}"; do
    recipe=("${kinetics_flags[@]}") drops=$kinetics_drops
    if [ "$name" = imagenet ]; then
      recipe=(--static_video --crop=random_resized_crop --min_crop_area=0.2
        --gray_probability=0.2 --gray_first "${imagenet_flags[@]}")
      drops=$imagenet_drops
    fi
    # shellcheck disable=SC2046
    "$PYTHON" "$repository/evaluate.py" --task=linear "$@" "${recipe[@]}" \
      $(schedule "$drops" 50000) "${evaluate_smoke[@]}" \
      --data_dir="$DATA_ROOT/$name" "${further[@]}"
  done
}

# train_row FLAGS: trains the row's network, or continues.
train_row() {
  model_dir=$runs/$(basename "$0" .sh)
  if [ "${#probed[@]}" -gt 0 ]; then
    probe --model_dir="$model_dir"
    return
  fi
  exec "$PYTHON" "$repository/train.py" "$@" "${smoke[@]}" \
    --data_dir="$DATA_ROOT/kinetics400" --model_dir="$model_dir" "${further[@]}"
}

# evaluate_row FLAGS: evaluates what other rows have trained, in the folders $runs/ROW.
evaluate_row() {
  if [ "${#probed[@]}" -gt 0 ]; then
    probe "$@"
    return
  fi
  exec "$PYTHON" "$repository/evaluate.py" "$@" "${kinetics_flags[@]}" \
    --data_dir="$DATA_ROOT/kinetics400" "${further[@]}"
}

# scratch_row DATA MODEL: fine-tunes an untrained network, which needs no other row: its
# run, named after the script, has the settings of the network and no steps.
scratch_row() {
  model_dir=$runs/$(basename "$0" .sh)
  if [ ! -e "$model_dir/config.json" ]; then
    "$PYTHON" "$repository/train.py" --model="$2" "${smoke[@]}" \
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
  drops=$color_drops
  if [ "${#augmentation[@]}" -gt 0 ]; then drops=${multi_scale_drops:-$color_drops}; fi
  # shellcheck disable=SC2046
  exec "$PYTHON" "$repository/evaluate.py" --task=finetune "$@" \
    "${augmentation[@]}" $(schedule "$drops" 10000) "${evaluate_smoke[@]}" \
    "${data[@]}" "${further[@]}"
}
