"""Installs VIE-TF; versions that are tested together are in constraints.txt."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
# Read, not imported: the package is not there yet when it is built.
VERSION = re.search(r'__version__ = "(.+?)"', (ROOT / "vie_tf/__init__.py").read_text())
TENSORFLOW = "==2.15.1"
# On Python 3.9 the newest Beam that fits the other packages is years old.
BEAM = 'apache-beam>=2.70; python_version >= "3.10"'
# What the input pipeline is measured against.
PILLOW = 'pillow; python_version >= "3.10"'
# A server on this machine, for tests; the extra moto[server] brings many packages for
# services other than S3.  On Python 3.9 it needs another urllib3.
S3_SERVER = [
    f'{package}; python_version >= "3.10"'
    for package in ("moto[s3]>=5.1", "flask", "flask-cors")
]

setup(
    name="vie-tf",
    version=VERSION[1],
    description="Unsupervised learning of video embeddings (VIE) in TensorFlow 2",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9,<3.12",
    packages=find_packages(include=["vie_tf", "vie_tf.*", "data_prep", "data_prep.*"]),
    package_data={
        "vie_tf.evaluation.neighbors": ["*.html"],
        "vie_tf.explore.page": ["*.html", "*.css", "*.js"],
        "vie_tf.evaluation.report": ["*.json"],
        "vie_tf.monitoring.published": ["*.json"],
    },
    py_modules=[],  # the scripts are for this folder
    entry_points={"console_scripts": ["vie-tf = vie_tf.__main__:run"]},
    install_requires=[
        # The last release with Keras 2; tensorflow-addons' and tensorflow-io's
        # compiled ops are built for it, and load with `tensorflow` only, not with
        # `tensorflow-cpu`.
        f"tensorflow{TENSORFLOW}",
        "tensorflow-addons==0.23.0",
        "tensorflow-io==0.36.0",
        "numpy>=1.23,<2",
        "scikit-learn>=1.3",
        "absl-py>=1.4",
        "opencv-python>=4.8",
        # Charts and pages: nothing that this project is about.
        "matplotlib>=3.8",
        "jinja2>=3.1",
        "tqdm>=4.60",
        "tensorboard",  # of the version that TensorFlow asks for
        # Checksums of records that are written piece by piece.
        "google-crc32c>=1.5",
    ],
    extras_require={
        "gpu": [f"tensorflow[and-cuda]{TENSORFLOW}"],
        "beam": [BEAM],
        "dev": ["mypy", "pytest", "pytest-xdist", "ruff", BEAM, PILLOW, *S3_SERVER],
    },
)
