"""Shows the page of an index in a browser, where a video can be uploaded as a query.

vie-tf serve --index=OUT

It prints the address of the page and serves it to this machine alone, until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Sequence

from data_prep.config import DecodingConfig
from vie_tf.config.explore import CollectionConfig, ExploreConfig
from vie_tf.config.serve import ServedConfig, ServerConfig
from vie_tf.flags import cli
from vie_tf.flags import serve as serve_flags
from vie_tf.terminal.heartbeat import doing

if TYPE_CHECKING:
    from vie_tf.explore.collection import Collection


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is stopped, and returns the exit code."""
    return cli.run(_serve, serve_flags.GROUPS, __doc__, arguments)


def _serve(flags: cli.Flags) -> None:
    served, config = flags.config(ServedConfig), flags.config(ServerConfig)
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.commands import explore
    from vie_tf.commands.video_files import uploaded_query
    from vie_tf.commands.without_gpus import leave_gpus_alone
    from vie_tf.serve.page_files import PageFiles
    from vie_tf.serve.page_server import PageServer, warning_of
    from vie_tf.serve.query_worker import QueryWorker
    from vie_tf.serve.uploads import Uploads

    with Uploads() as uploads, PageServer(config, uploads) as server:
        leave_gpus_alone()  # The process that answers queries takes them.
        collection = explore.load(CollectionConfig(index=served.index))
        stamp = uploaded_query.stamp_of(served.index)
        arguments = served, stamp, flags.config(DecodingConfig)
        worker = QueryWorker(uploaded_query.load, arguments, config.max_query_secs)
        with contextlib.closing(worker):
            worker.wait_until_ready()
            # Before the page, which may take minutes: a browser waits for it.
            print(server.url, flush=True)
            if warning := warning_of(config.host):
                print(warning, file=sys.stderr, flush=True)
            folder = _make_page(served, collection)
            server.files = PageFiles.load(folder, server.max_upload_bytes)
            server.answer = worker.answer
            server.serve_forever()


def _make_page(served: ServedConfig, collection: Collection) -> str:
    """Makes the page of an index unless it is there; returns its folder."""
    from vie_tf.commands.video_files.collection_videos import reader_of
    from vie_tf.explore import reports
    from vie_tf.serve import page_files

    folder = served.page or f"{served.index.rstrip('/')}_page"
    if not page_files.is_current(folder, served.index, collection.sources):
        print("The page is made first; this address answers then.", flush=True)
        doing("making the page")
        videos = served.videos or collection.videos
        read = reader_of(videos, collection.sources, served.num_processes)
        outputs = ExploreConfig(page=folder, check_frames=served.check_frames)
        print(reports.write_page(collection, read, outputs), flush=True)
        doing("")
    return folder
