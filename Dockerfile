# Runs the quickstart: generated videos, training, evaluation, a picture.
#
#   docker build -t vie-tf .
#   docker run --rm -v "$PWD/quickstart:/results" vie-tf
#
#   docker build -t vie-tf:gpu --target gpu .
#   docker run --rm --gpus all -v "$PWD/quickstart:/results" vie-tf:gpu
#
# Other commands: docker run --rm vie-tf vie-tf train --help
FROM python:3.13-slim-bookworm AS sources
# What opencv-python loads.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/vie-tf
COPY . .
ENV QUICKSTART_DIR=/results PATH=/opt/vie-tf/.venv/bin:$PATH PIP_NO_CACHE_DIR=1
CMD ["./run_scripts/quickstart.sh"]

# CUDA's libraries come with TensorFlow; the driver is that of the machine.
FROM sources AS gpu
RUN bash -euc 'source run_scripts/environment.sh; make_environment "$PWD/.venv" gpu'

FROM sources AS cpu
RUN bash -euc 'source run_scripts/environment.sh; make_environment "$PWD/.venv"'
