"""A folder of embeddings, to be searched from Python: `vie_tf.Index`."""

from __future__ import annotations

import os

import numpy as np

from data_prep.config import DecodingConfig
from vie_tf.commands import queries
from vie_tf.config import SearchConfig
from vie_tf.explore.gallery import Found, Gallery
from vie_tf.search.embedding_index import EmbeddingIndex
from vie_tf.storage.errors import UserError


class Index:
    """Embeddings that embed.py has written.

    Args:
      folder: its --output.
      model_dir: run that query files are embedded by; None for that of the embeddings.

    Attributes:
      embeddings: [V, D] float32, a row for each video, at unit norm.
      videos: for each row the `id`, `source`, `label` and `split` of its video.

    Raises:
      UserError: there are no embeddings, or they are not complete.
    """

    def __init__(self, folder: str, model_dir: str | None = None) -> None:
        self._index = EmbeddingIndex.load(os.fspath(folder))
        self.embeddings = self._index.array(self._index.endpoint())
        self.videos = self._index.videos()
        self._model_dir = model_dir
        self._galleries: dict[str, Gallery] = {}

    def __len__(self) -> int:
        return len(self.videos)

    def nearest(
        self,
        query: str | np.ndarray,
        count: int = 10,
        *,
        find_itself: bool = False,
        search_by: str = SearchConfig.search_by,
    ) -> list[Found]:
        """Finds the videos nearest to a video, nearest first.

        Args:
          query: path of a video file, or an embedding [D] or [1, D].
          count: largest number of videos to return.
          find_itself: whether a file that is in the index is found.
          search_by: what a file is compared by, `components` or `embedding`, see
            `vie_tf.config.SearchConfig`; an embedding is compared with embeddings.

        Returns:
          Items with `source`, `label`, `row` (of `embeddings` and `videos`), `cosine`
          and `percentile`, the percentage of the index's pairs that are farther apart.

        Raises:
          UserError: the file cannot be read, the embedding has another size, or the
            run of the embeddings has another checkpoint now.
        """
        if not isinstance(query, (str, os.PathLike)):
            vector = np.asarray(query, np.float32).reshape(-1)
            if vector.shape != self.embeddings.shape[1:]:
                raise UserError(
                    "An embedding of this index has"
                    f" {self.embeddings.shape[1]} dimensions, not"
                    f" {list(np.shape(query))}."
                )
            gallery = self._gallery("embedding")
            return gallery.nearest(gallery.directions(vector[None]), count)
        asked = SearchConfig(
            query=(os.fspath(query),),
            index=self._index.folder,
            nearest=count,
            find_itself=find_itself,
            search_by=search_by,
        )
        (answer,) = queries.answer_all(
            queries.query_files(asked.query)[:1],
            self._gallery(search_by),
            self._index,
            asked,
            self._model_dir,
            DecodingConfig(),
        )
        if answer.fault:
            raise UserError(
                f"The video {answer.query!r} cannot be read: {answer.fault}."
            )
        return list(answer.found)

    def _gallery(self, search_by: str) -> Gallery:
        if search_by not in self._galleries:
            self._galleries[search_by] = Gallery(self._index, search_by)
        return self._galleries[search_by]
