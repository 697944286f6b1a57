"""A button that copies a text: the one thing in the panel that a browser must do itself."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets


class CopyButton(anywidget.AnyWidget):
    """Button that copies ``text`` to the clipboard, or selects the code where the page may not.

    Attributes
    ----------
    text : str
        What is copied; the button is disabled while it is empty.
    label : str
        What the button says.
    outcome : str
        ``"copied"`` or ``"selected"`` after a click.
    """

    _esm = Path(__file__).with_name("clipboard.js").read_text(encoding="utf-8")
    text = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("Copy the code").tag(sync=True)
    outcome = traitlets.Unicode("").tag(sync=True)
