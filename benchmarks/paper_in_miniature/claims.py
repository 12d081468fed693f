"""The claims of the paper, and whether results support them."""

from __future__ import annotations

import dataclasses
import math
import statistics
from typing import Sequence

from benchmarks.paper_in_miniature.measure import ACTIONS, KNN, OBJECTS
from benchmarks.paper_in_miniature.plan import DECIDES, FAMILIES, OTHER_STARTS
from benchmarks.paper_in_miniature.results import FINETUNE, Results

REPRODUCED, NOT, CANNOT_TELL, NOT_RUN = (
    *("reproduced", "not reproduced", "cannot tell"),
    "not run",
)
# A difference says something from so many errors on.
_ERRORS = 2.0
RULE = (
    "A difference is the mean over the seeds that both have. Its error is the larger of"
    " two: what the choice of the test videos does (binomial, of both accuracies), and"
    " what the seeds do (the standard deviation of their differences); both divided by"
    " the square root of the number of seeds. More than two errors above zero is"
    " *reproduced*, more than two below is *not reproduced*, and all between is *cannot"
    " tell*."
)


@dataclasses.dataclass(frozen=True)
class Claim:
    """A claim: one row is better than others.

    Attributes:
      sentence: the claim in words.
      paper: figures of the paper that it stands on.
      better: name of the row that should be better.
      worse: names of the others, of which the best of each seed is compared.
      metric: name of a score.
    """

    sentence: str
    paper: str
    better: str
    worse: tuple[str, ...]
    metric: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """What came out for a claim; fractions.

    Attributes:
      claim: the claim.
      better: mean accuracy of its better row over the seeds.
      worse: that of the best of its others.
      error: error of the difference; see `RULE`.
      count: number of seeds; 0 where nothing was run.
    """

    claim: Claim
    better: float = 0.0
    worse: float = 0.0
    error: float = 0.0
    count: int = 0

    @property
    def difference(self) -> float:
        """By how much the better row is better."""
        return self.better - self.worse

    @property
    def verdict(self) -> str:
        """Verdict by `RULE`."""
        if not self.count:
            return NOT_RUN
        if abs(self.difference) <= _ERRORS * self.error:
            return CANNOT_TELL
        return REPRODUCED if self.difference > 0 else NOT


_LA = tuple(f"{family}-LA" for family in FAMILIES)
_UNTRAINED = f"{DECIDES}-random"
_OTHERS = tuple(f"{DECIDES}-{loss}" for loss in OTHER_STARTS)
_OTHERS_FINETUNED = tuple(f"{DECIDES}-finetuned-{loss}" for loss in OTHER_STARTS)
CLAIMS = (
    Claim(
        "Training without labels beats no training (kNN)",
        "authors' curves",
        *(f"{DECIDES}-LA", (_UNTRAINED,), KNN),
    ),
    Claim(
        "Training without labels beats no training (probes)",
        "44.4 v. 9.4",
        *(f"{DECIDES}-LA", (_UNTRAINED,), ACTIONS),
    ),
    Claim(
        "LA is above IR (kNN)",
        "authors' curves",
        *(f"{DECIDES}-LA", (f"{DECIDES}-IR",), KNN),
    ),
    Claim(
        "LA is above IR (probes)",
        "44.4 v. 43.9",
        *(f"{DECIDES}-LA", (f"{DECIDES}-IR",), ACTIONS),
    ),
    Claim(
        "LA is above IR, begun at the end of IR (kNN)",
        "authors' curves",
        *(f"{DECIDES}-long-LA", (f"{DECIDES}-long-IR",), KNN),
    ),
    Claim(
        "Networks of several frames beat that of one frame",
        "47.4 v. 44.4",
        *("slowfast-LA", ("single-LA",), ACTIONS),
    ),
    Claim(
        "More frames alone are not the reason: `slow` beats `single` on its clips",
        "46.4 v. 44.6",
        *("slow-LA", ("single-LA-on-slow",), ACTIONS),
    ),
    Claim(
        "Two streams are the best of all",
        "48.5 v. 47.4",
        *("two_stream_sf-LA", _LA, ACTIONS),
    ),
    Claim(
        "On pictures, the network of one frame beats `slowfast`",
        "42.3 v. 36.8",
        *("single-LA", ("slowfast-LA",), OBJECTS),
    ),
    Claim(
        "On pictures, two streams are the best of all",
        "43.7 v. 42.3",
        *("two_stream_sf-LA", _LA, OBJECTS),
    ),
    Claim(
        "Labels are better than none (probes)",
        "57.6 v. 44.4",
        *(f"{DECIDES}-supervised", (f"{DECIDES}-LA",), ACTIONS),
    ),
    Claim(
        "Fine-tuning from VIE beats training from scratch",
        "44.6 v. 27.0",
        *(f"{DECIDES}-finetuned-LA", (f"{DECIDES}-finetuned-scratch",), FINETUNE),
    ),
    Claim(
        "Fine-tuning from labels beats fine-tuning from VIE",
        "60.2 v. 44.6",
        *(
            f"{DECIDES}-finetuned-supervised",
            (f"{DECIDES}-finetuned-LA",),
            FINETUNE,
        ),
    ),
    Claim(
        "IR is above rotation, puzzles and statistics on one network (kNN)",
        "none",
        *(f"{DECIDES}-IR", _OTHERS, KNN),
    ),
    Claim(
        "IR is above rotation, puzzles and statistics on one network (probes)",
        "none",
        *(f"{DECIDES}-IR", _OTHERS, ACTIONS),
    ),
    Claim(
        "Fine-tuning from VIE beats fine-tuning from rotation, puzzles and statistics",
        "44.8 v. 33.7",
        *(f"{DECIDES}-finetuned-LA", _OTHERS_FINETUNED, FINETUNE),
    ),
    Claim(
        "More videos are better: all of them against 30%",
        "44.4 v. 40.7",
        *(f"{DECIDES}-LA", (f"{DECIDES}-30percent-LA",), ACTIONS),
    ),
    Claim(
        "Whole videos beat two bins",
        "44.4 v. 44.2",
        *(f"{DECIDES}-LA", (f"{DECIDES}-2bin-LA",), ACTIONS),
    ),
    Claim(
        "Whole videos beat five bins",
        "44.4 v. 43.3",
        *(f"{DECIDES}-LA", (f"{DECIDES}-5bin-LA",), ACTIONS),
    ),
)


def find(claim: Claim, results: Results) -> Finding:
    """Compares the rows of a claim, seed by seed."""
    pairs, num_tests = [], 1
    rivals = [{r.seed: r for r in results.of(name)} for name in claim.worse]
    for result in results.of(claim.better):
        scores = [
            of_seed[result.seed].score(claim.metric)
            for of_seed in rivals
            if result.seed in of_seed
        ]
        known = [score for score in scores if score is not None]
        own = result.score(claim.metric)
        # All others have to be there, or the best of them is not known.
        if own is not None and len(known) == len(rivals):
            pairs.append((own, max(known)))
            num_tests = result.num_tests[claim.metric]
    if not pairs:
        return Finding(claim)
    better, worse = (statistics.fmean(values) for values in zip(*pairs))
    error = _error(pairs, better, worse, num_tests)
    return Finding(claim, better, worse, error, len(pairs))


def _error(
    pairs: Sequence[tuple[float, float]], better: float, worse: float, num_tests: int
) -> float:
    of_videos = math.sqrt(
        (better * (1 - better) + worse * (1 - worse)) / max(num_tests, 1)
    )
    differences = [own - other for own, other in pairs]
    of_seeds = statistics.stdev(differences) if len(pairs) > 1 else 0.0
    return max(of_videos, of_seeds) / math.sqrt(len(pairs))


def findings(results: Results) -> list[Finding]:
    """Compares the rows of all claims."""
    return [find(claim, results) for claim in CLAIMS]
