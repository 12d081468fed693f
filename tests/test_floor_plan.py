"""The floor plan: a package imports only from the packages to its left."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FLOORS = {
    "vie_tf": "quiet_import keras storage terminal drawing config input models"
    " objectives runs monitoring metrics training evaluation search explore"
    " serve export flags commands api __main__",
    "data_prep": "config index decode workers thumbnails convert describe",
}
# Packages beside each other, at the end of their tree.
COMMANDS = {"data_prep": ("describe", "synthesize", "download_kinetics")}
# What a tree uses of the others.
BETWEEN = {
    "vie_tf": (),
    # Settings of both are declared by the same function.
    "data_prep": (
        "vie_tf.storage",
        "vie_tf.terminal",
        "vie_tf.drawing",
        "vie_tf.config.setting",
    ),
}
# Packages that stand on the right and use less than all to their left, or more.
EXCEPTIONS = {
    # Flags are made from settings, and know nothing of what is done with them.
    "vie_tf.flags": (
        "vie_tf.flags",
        "vie_tf.config",
        "vie_tf.terminal.command_line",
        "vie_tf.storage.errors",
        "vie_tf.terminal.process_exit",
        "data_prep.config",
    ),
    "vie_tf.commands": ("vie_tf", "data_prep"),
    # Video files are decoded by data_prep, for embed.py and for the Python API.
    "vie_tf.api": ("vie_tf", "data_prep"),
    # The public names.
    "vie_tf.__init__": ("vie_tf",),
}
SCRIPTS = ("train", "evaluate", "embed")


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


FILES = {
    module_of(path): path
    for tree in FLOORS
    for path in sorted((ROOT / tree).rglob("*.py"))
}
FILES.update({name: ROOT / f"{name}.py" for name in SCRIPTS})
# Modules and packages.
NAMES = {*FILES, *(name.rsplit(".", 1)[0] for name in FILES)} - set(FLOORS)


def imports_of(module):
    """Every module that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(full & NAMES or {node.module})
    return found


def is_within(module, package):
    return f"{module}.".startswith(f"{package}.")


def allowed(module):
    """Packages that a module of a tree may import from."""
    for package, others in EXCEPTIONS.items():
        if is_within(module, package):
            return others
    tree, *parts = module.split(".")
    floors, floor = FLOORS[tree].split(), parts[0] if parts else "__init__"
    if floor in COMMANDS.get(tree, ()):
        floors = [*floors[:-1], floor]
    below = floors[: floors.index(floor) + 1] if floor in floors else [floor]
    own = [f"{tree}.{name}" for name in below] if floors else [tree]
    return (*own, *BETWEEN[tree])


@pytest.mark.parametrize("module", [name for name in FILES if "." in name])
def test_a_module_imports_only_from_its_left(module):
    is_command = module.endswith(".__main__")
    for name in imports_of(module):
        if name.split(".")[0] not in FLOORS or name in FLOORS:  # of others; the version
            continue
        if is_command and is_within(name, "vie_tf.flags"):
            continue
        assert any(is_within(name, package) for package in allowed(module)), name


def test_settings_and_storage_share_the_errors_alone():
    for module in FILES:
        own = {name for name in imports_of(module) if name.split(".")[0] in FLOORS}
        if is_within(module, "vie_tf.storage"):
            assert not any(is_within(name, "vie_tf.config") for name in own)
        if is_within(module, "vie_tf.config"):
            others = {name for name in own if not is_within(name, "vie_tf.config")}
            assert others <= {"vie_tf.storage.errors"}


def test_only_flags_use_absl():
    for module in FILES:
        if not is_within(module, "vie_tf.flags"):
            assert not any(is_within(name, "absl") for name in imports_of(module))


def test_the_floor_plan_names_every_package():
    for tree, floors in FLOORS.items():
        known = {*floors.split(), *COMMANDS.get(tree, ()), "__init__"}
        names = {name.split(".")[1] for name in FILES if is_within(name, tree)}
        assert names <= known
