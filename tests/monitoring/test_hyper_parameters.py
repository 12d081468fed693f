import tensorflow as tf
from run_fixtures import run_config, with_settings
from tensorboard.plugins.hparams import api_pb2, metadata

from vie_tf.monitoring import hyper_parameters
from vie_tf.monitoring.tensorboard import Summaries


def contents(folder):
    """What the HParams tab finds in the event files of a folder, by tag."""
    found = {}
    for path in (folder / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                plugin = value.metadata.plugin_data
                if plugin.plugin_name == metadata.PLUGIN_NAME:
                    assert value.tag not in found
                    found[value.tag] = plugin.content
    return found


def test_settings_have_flat_names_and_values_of_their_kind():
    config = run_config("data", learning_rate=0.1, lr_boundaries=(30, 40))
    values = hyper_parameters.flat(with_settings(config, "data", static_video=True))
    assert values["loss/name"] == "ir"
    assert values["train/learning_rate"] == 0.1
    assert values["train/lr_boundaries"] == "30,40"
    assert values["data/static_video"] is True
    assert values["knn/k"] == 3
    assert not {"train/model_dir", "train/log_steps", "train/init_from"} & set(values)


def test_the_event_file_has_a_session_with_all_values_and_its_metrics(tmp_path):
    config = run_config("data", tmp_path)
    Summaries(str(tmp_path)).hyper_parameters(config)
    found = contents(tmp_path)
    session = metadata.parse_session_start_info_plugin_data(
        found[metadata.SESSION_START_INFO_TAG]
    )
    kinds = {name: value.WhichOneof("kind") for name, value in session.hparams.items()}
    values = {n: getattr(session.hparams[n], kind) for n, kind in kinds.items()}
    assert values == hyper_parameters.flat(config)
    experiment = metadata.parse_experiment_plugin_data(found[metadata.EXPERIMENT_TAG])
    infos = {info.name: info for info in experiment.hparam_infos}
    assert infos.keys() == values.keys()
    assert infos["train/learning_rate"].type == api_pb2.DATA_TYPE_FLOAT64
    assert infos["data/static_video"].type == api_pb2.DATA_TYPE_BOOL
    assert infos["model/name"].type == api_pb2.DATA_TYPE_STRING
    # Which come first in the tab: what is not the default, and what always matters.
    assert infos["loss/ir_num_negatives"].differs and infos["loss/name"].differs
    assert not infos["loss/temperature"].differs
    assert [info.name.tag for info in experiment.metric_infos] == [
        *("knn/top1", "train/loss")
    ]


def test_a_supervised_run_is_measured_by_its_softmax(tmp_path):
    config = run_config("data", tmp_path, loss={"name": "supervised"})
    Summaries(str(tmp_path)).hyper_parameters(config)
    experiment = metadata.parse_experiment_plugin_data(
        contents(tmp_path)[metadata.EXPERIMENT_TAG]
    )
    assert experiment.metric_infos[0].name.tag == "softmax/top1"
