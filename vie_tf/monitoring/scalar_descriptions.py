"""What the scalars of TensorBoard mean; TensorBoard shows it beside each chart."""

from __future__ import annotations

_OF_NAMES = {
    "loss": "Loss of the step, with weight decay.",
    "loss_data": "IR: the term of the video itself. It falls.",
    "loss_noise": "IR: the term of the negatives. It stays small.",
    "weight_decay": "L2 term of the loss.",
    "similarity_to_own_row": (
        "Cosine of an embedding and its video's entry of the memory bank. It rises."
    ),
    "similarity_between_videos": (
        "Mean cosine of different clips of a batch: near 1 before training, then lower."
    ),
    "embedding_std": (
        "Standard deviation of a dimension of the embeddings of a batch; 1 / sqrt(D)"
        " where they are spread evenly."
    ),
    "alignment": "Squared distance to the own entry of the memory bank, 0 to 4.",
    "close_share": (
        "LA: fraction of the background neighbors that share a cluster with the video."
    ),
    "accuracy": "Accuracy of the batch, a fraction.",
    "motion_error": "Mean squared error of the numbers of motion.",
    "appearance_error": "Mean squared error of the numbers of appearance.",
    "learning_rate": "Learning rate of the step.",
    "steps_per_second": "Steps per second since the last line.",
    "clips_per_second": "Clips per second since the last line.",
    "wait_share": "Fraction of the time in which steps waited for clips.",
    "skipped_clips": "Clips of bad records that were skipped so far.",
    "top1": "Fraction of the validation videos whose class was the first guess.",
    "top5": "Fraction of the validation videos whose class was among five guesses.",
    "gallery_is_features": "1 if kNN compared with new embeddings, 0 with the bank.",
    "uniformity": (
        "log mean exp(-2 d^2) of random entries of the bank: 0 where they coincide,"
        " -3.9 where they are spread evenly."
    ),
    "largest": "Number of videos in the largest cluster.",
    "empty": "Number of clusters without a video.",
    "entropy": "Entropy of the cluster sizes; 1 if all are equal.",
    "perplexity": "Number of equally large clusters with the same entropy.",
    "changed_share": "Fraction of the videos that changed their cluster.",
    "objective": "Sum of the squared distances of the entries to their centroids.",
    "iterations": "Iterations of k-means.",
    "seconds": "Seconds that k-means took.",
    "same_scene": "Fraction of the videos whose nearest one is of the same scene.",
    "same_motion_elsewhere": (
        "Fraction of the nearest videos of other scenes that the motion map has, too."
    ),
}
# Figures of embeddings, by what comes before the name of the embedding.
_OF_EMBEDDINGS = {
    "knn": "Leave-one-out kNN of the sample, a fraction.",
    "agreement": (
        "Fraction of the nearest videos by one half of a video that are also the"
        " nearest by the other half."
    ),
    "alignment": "Squared distance of both halves of a video, 0 to 4.",
    "uniformity": "log mean exp(-2 d^2) of pairs of videos: lower where they spread.",
}


def of_scalar(name: str) -> str | None:
    """Returns the meaning of a scalar; None for one without a description.

    Args:
      name: name without its group; that of a head may come before it, as in
        `conv3_top1`.
    """
    for known in (name, name.rpartition("_")[2]):
        if known in _OF_NAMES:
            return _OF_NAMES[known]
    return _OF_EMBEDDINGS.get(name.partition("_")[0])
