"""Renders pages of queries and their nearest videos, which are one HTML file each.

An animation is a strip of JPEG frames that CSS moves through a window step by step.
That is smaller than a GIF, and needs neither a script nor a server.

A page is a template that extends `base.html`; `clip.html` has the animation.
"""

from __future__ import annotations

import importlib.resources
from typing import Any

import jinja2

from vie_tf.storage.printable import in_page

_SHARED = ("base.html", "clip.html")


def render(template: str, **values: Any) -> str:
    """Renders a page.

    Args:
      template: text of the template.
      values: what it shows, with `width` and `height` of a frame in pixels.
    """
    package = importlib.resources.files(__package__)
    shared = {name: (package / name).read_text("utf-8") for name in _SHARED}
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=in_page,
        loader=jinja2.DictLoader(shared),
    )
    return environment.from_string(template).render(**values)
