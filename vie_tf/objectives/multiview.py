"""Contrastive multiview coding (CMC): two views of a video are told from other videos.

A network of two streams sees two views of a clip: its light and its colors, its frames
and their differences, a frame and a later one, or a frame and the clip.  The embedding
of each view is compared with the rows that the bank has of the other view: that of its
own video, and those of K other videos, as in instance recognition.

Source: Tian et al. 2019, section 3.2 (equations 4 to 6) and its memory bank of each
view, section 3.4; `NCEAverage.py` of its authors.

Letters: B videos of a replica, K negatives, D dimensions of both views together.
"""

from __future__ import annotations

import math

import tensorflow as tf

from vie_tf import models
from vie_tf.config import RunConfig
from vie_tf.models.clip_input import PAIRED_INPUTS
from vie_tf.objectives import losses
from vie_tf.objectives.instance_recognition import InstanceRecognition, mean_of_replicas
from vie_tf.storage.errors import UserError


class MultiviewCoding(InstanceRecognition):
    """The sum of the losses of both views.

    The embedding of a network of two streams has both views side by side, and so has
    the memory bank: a row is the rows of two banks, so that kNN reads it as any other.
    """

    title = "CMC"
    divides_bank = False

    @classmethod
    def complete_config(cls, config: RunConfig) -> RunConfig:
        """Checks that the network sees two views."""
        model = config.model
        is_pair = models.family(model.name).kind == "streams"
        if not is_pair and model.input not in PAIRED_INPUTS:
            raise UserError(
                f"--loss={config.loss.name} compares two views of a clip, but"
                f" --model={model.name} sees one: give --input=lab (light and color),"
                " --input=later (a frame and a later one) or --input=both (frames and"
                " differences)."
            )
        return super().complete_config(config)

    def loss(
        self, endpoints: dict[str, tf.Tensor], batch: dict, step: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Adds up equation 4 of both views, from the rows as they were."""
        own_rows = views(self.bank.read(batch["rows"]))  # [B, D / 2] each
        noise_rows = views(self.bank.read(self.negatives(step)))  # [B, K, D / 2]
        embeddings = views(endpoints["embedding"])  # [B, D / 2]
        parts: dict[str, tf.Tensor] = {}
        for view, other in ((0, 1), (1, 0)):
            own = tf.reduce_sum(embeddings[view] * own_rows[other], axis=1)  # [B]
            noise = tf.linalg.matvec(noise_rows[other], embeddings[view])  # [B, K]
            found = {
                **dict(zip(("loss_data", "loss_noise"), self._terms(own, noise))),
                "similarity_to_own_row": own / 2,
            }
            for name, value in found.items():
                parts[name] = parts.get(name, 0.0) + value
        return parts["loss_data"] + parts["loss_noise"], parts

    def _terms(self, own: tf.Tensor, noise: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        temperature = self.settings.temperature
        normalizer = losses.IMAGENET_NORMALIZER
        if self.settings.ir_normalizer == "batch":
            own_estimate = losses.estimate_normalizer(noise, temperature)
            normalizer = mean_of_replicas(own_estimate)
        return losses.instance_recognition_loss(
            own, noise, self.bank.num_videos, temperature, normalizer
        )

    def updates(
        self, endpoints: dict[str, tf.Tensor], batch: dict
    ) -> dict[str, tf.Tensor]:
        """Computes the new rows, each view at the same norm."""
        new_rows = self.bank.updated_rows(endpoints["embedding"], batch["rows"])
        halves = [tf.math.l2_normalize(half, axis=-1) for half in views(new_rows)]
        rows = tf.concat(halves, axis=-1) / math.sqrt(2)
        return {"rows": batch["rows"], "new_rows": rows}


def views(vectors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Splits embeddings or rows [..., D] at unit norm into those of both views."""
    first, second = tf.split(math.sqrt(2) * vectors, 2, axis=-1)
    return first, second
