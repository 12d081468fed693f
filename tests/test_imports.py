"""Holds the rules of design.md, section 3: imports go one way only."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGES = ("vie_tf", "data_prep", "flags")
# What flags use of it; Python 3.9 has no list of all.
STANDARD_LIBRARY = ("__future__", "os", "sys", "textwrap", "types", "typing")
SCRIPTS = (
    "train",
    "evaluate",
    "embed",
    *("data_prep.convert", "data_prep.describe", "data_prep.download_kinetics"),
    "data_prep.synthesize",
)


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    module_name(path): path
    for folder in PACKAGES
    for path in sorted((ROOT / folder).rglob("*.py"))
}
FILES.update({path.stem: path for path in ROOT.glob("*.py") if path.stem != "setup"})


def imports_of(module):
    """All modules that a file imports, wherever in the file; ours by file."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in FILES else node.module)
    return found


IMPORTS = {module: imports_of(module) for module in FILES}


def ours(module):
    """What a module imports of the project."""
    return {name for name in IMPORTS[module] if name.split(".")[0] in PACKAGES}


def members(package):
    return [name for name in FILES if f"{name}.".startswith(f"{package}.")]


def test_all_files_are_read():
    assert {"train", "vie_tf.train_loop", "vie_tf.evaluation.knn"} <= set(FILES)
    assert "vie_tf.clustering" in IMPORTS["vie_tf.train_loop"]
    assert "vie_tf.train_loop" in IMPORTS["train"]  # inside a function
    assert "tensorflow" in IMPORTS["vie_tf.losses"]


@pytest.mark.parametrize(
    "name",
    [
        "config",
        "durable_files",
        "error_line",
        "remote_files",
        "clip_sampling",
        "crop_windows",
        "color_noise",
        "losses",
        "memory_bank",
        "row_ages",
        "clustering",
        "facts",
        "step_clock",
        "schedules",
        "sprite",
        "step_profile",
        "published_run",
        "knn_curve",
        "published_tables",
        "evaluation.markdown_table",
        "evaluation.nearest",
        "evaluation.retrieval_metrics",
    ],
)
def test_contracts_and_pure_functions_know_nobody(name):
    assert ours(f"vie_tf.{name}") == set()


def test_commands_know_only_how_errors_are_told():
    assert ours("vie_tf.command_line") == {"vie_tf.error_line"}


def test_records_know_only_how_files_become_durable():
    assert ours("vie_tf.records") == {"vie_tf.durable_files"}


def test_knn_knows_the_search_only():
    assert ours("vie_tf.evaluation.knn") == {"vie_tf.evaluation.nearest"}


def test_what_is_retrieved_knows_records_only():
    assert ours("vie_tf.evaluation.retrieval") == {"vie_tf.records"}
    allowed = {"vie_tf.records", "vie_tf.evaluation.retrieval"}
    assert ours("vie_tf.evaluation.retrieval_picture") == allowed
    allowed.add("vie_tf.evaluation.retrieval_picture")
    assert ours("vie_tf.evaluation.retrieval_page") == allowed


def test_health_knows_facts_only():
    assert ours("vie_tf.health") == {"vie_tf.facts"}


def test_read_outs_know_nobody_and_are_known_by_tasks():
    assert ours("vie_tf.evaluation.read_outs") == set()
    assert ours("vie_tf.evaluation.cached_read_outs") == set()
    allowed = {"vie_tf.evaluation.knn", "vie_tf.evaluation.split_pass"}
    assert ours("vie_tf.evaluation.video_logits") == allowed
    assert ours("vie_tf.evaluation.split_pass") == {"vie_tf.step_clock"}


def test_the_loop_on_labels_does_not_know_what_is_trained():
    tasks = {"linear_task", "linear_quick_task", "finetune_task", "read_outs"}
    known = ours("vie_tf.evaluation.label_training")
    assert not known & {f"vie_tf.evaluation.{task}" for task in tasks}
    of_finetune = ours("vie_tf.evaluation.finetune_task")
    assert "vie_tf.evaluation.linear_task" not in of_finetune


def test_views_know_records_and_settings_only():
    assert ours("vie_tf.views") == {"vie_tf.records", "vie_tf.config"}


def test_augmentations_know_windows_colour_and_pixels_only():
    pixels = {"vie_tf.clip_pixels", "vie_tf.color_noise"}
    assert ours("vie_tf.augmentations") == {"vie_tf.crop_windows", *pixels}
    assert ours("vie_tf.clip_pixels") == {"vie_tf.color_noise"}


def test_frames_are_read_by_what_knows_records_only():
    stations = {"vie_tf.records", "vie_tf.remote_files"}
    assert ours("vie_tf.frame_index") == stations
    assert ours("vie_tf.frame_reader") == {*stations, "vie_tf.frame_index"}
    assert ours("vie_tf.shard_cache") == {"vie_tf.records"}


def test_a_checkpoint_is_written_by_what_knows_the_state_only():
    parts = {"vie_tf.memory_bank", "vie_tf.row_ages", "vie_tf.schedules"}
    assert ours("vie_tf.train_state") == parts
    files = {"vie_tf.remote_files", "vie_tf.durable_files", "vie_tf.error_line"}
    assert ours("vie_tf.checkpoint_files") == files
    allowed = {"vie_tf.records", "vie_tf.train_state", "vie_tf.checkpoint_files"}
    assert ours("vie_tf.checkpoint_folder") == allowed
    assert ours("vie_tf.folder_lock") == {"vie_tf.remote_files"}


def test_the_pipeline_knows_the_stations_before_it_and_their_settings():
    names = "records", "config", "views", "clip_sampling", "crop_windows"
    names += "augmentations", "clip_source", "input_service"
    assert ours("vie_tf.input_pipeline") == {f"vie_tf.{name}" for name in names}
    names = "records", "config", "remote_files", "frame_index", "frame_reader"
    names += "shard_cache", "augmentations"
    assert ours("vie_tf.clip_source") == {f"vie_tf.{name}" for name in names}


def test_vie_tf_knows_neither_flags_nor_data_prep():
    for module in members("vie_tf"):
        tops = {name.split(".")[0] for name in IMPORTS[module]}
        assert not tops & {"flags", "absl", "data_prep"}, module


def test_only_the_rehearsal_of_a_run_knows_the_training_loop():
    for module in set(members("vie_tf")) - {"vie_tf.rehearsal"}:
        assert "vie_tf.train_loop" not in ours(module), module


def test_models_know_clip_sampling_only():
    for module in members("vie_tf.models"):
        outside = ours(module) - set(members("vie_tf.models"))
        assert outside <= {"vie_tf.clip_sampling"}, module


def test_files_of_embeddings_know_records_and_locks_only():
    known = ours("vie_tf.evaluation.embedding_files")
    assert known == {"vie_tf.records", "vie_tf.folder_lock"}
    allowed = {"vie_tf.evaluation.embedding_files"}
    assert ours("vie_tf.evaluation.embedding_tables") == allowed


def test_only_embed_brings_decoding_and_networks_together():
    for module in FILES:
        tops = {name.split(".")[0] for name in ours(module)}
        uses_networks = any(
            name.startswith(("vie_tf.evaluation", "vie_tf.models"))
            for name in ours(module)
        )
        if "data_prep" in tops and uses_networks:
            assert module == "embed"


def test_data_prep_knows_of_vie_tf_what_a_data_set_is_and_where():
    for module in members("data_prep"):
        of_vie_tf = {name for name in ours(module) if name.startswith("vie_tf")}
        allowed = {
            *("vie_tf.records", "vie_tf.remote_files"),
            *("vie_tf.frame_index", "vie_tf.folder_lock"),
            "vie_tf.durable_files",
        }
        assert of_vie_tf <= allowed, module


def test_flags_know_absl_and_the_settings_only():
    allowed = {"vie_tf.config", "data_prep.config", *members("flags")}
    allowed.add("vie_tf.error_line")
    for module in members("flags"):
        assert ours(module) <= allowed, module
        others = {name.split(".")[0] for name in IMPORTS[module] - ours(module)}
        assert others <= {"absl", *STANDARD_LIBRARY}, module


def test_only_the_scripts_know_flags():
    for module in set(FILES) - set(members("flags")) - set(SCRIPTS):
        assert not ours(module) & set(members("flags")), module


def test_no_module_imports_itself_in_a_circle():
    # Takes away, again and again, what imports nothing that is left.
    left = {module: ours(module) & set(FILES) for module in FILES}
    while free := [module for module in left if not left[module] & set(left)]:
        for module in free:
            del left[module]
    assert not left
