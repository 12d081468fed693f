"""What training clips are asked: the makers of clips that come with an answer.

Objectives such as `vie_tf.objectives.pretexts.puzzle` ask a question about each clip.
Where the question changes which frames and windows are read, or its answer is computed
from the clip, both belong to the input, whose work is done beside the training step.
"""

from __future__ import annotations

from vie_tf.input.clip_makers import TrainingClipMaker
from vie_tf.input.questions.clip_statistics import StatisticsClipMaker
from vie_tf.input.questions.moving_frames import MovingClipMaker
from vie_tf.input.questions.puzzles import PuzzleClipMaker

# By `ClipRecipe.question`.
CLIP_MAKERS: dict[str, type[TrainingClipMaker]] = {
    "": TrainingClipMaker,
    "order": MovingClipMaker,
    "puzzle": PuzzleClipMaker,
    "statistics": StatisticsClipMaker,
}
