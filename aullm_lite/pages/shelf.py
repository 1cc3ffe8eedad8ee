"""The example clips as buttons with pictures, which tell the app their number when they are pressed."""

from html import escape

import numpy as np
from PIL import Image

from ..page import picture_address

PRESSED = """element.addEventListener("click", event => {
  const button = event.target.closest("button[data-number]");
  if (button) trigger("click", { number: Number(button.dataset.number) });
});"""


def examples_html(examples) -> str:
    """One button with a picture for each example; the app hears the number of the one that was pressed."""
    posters = (picture_address(np.asarray(Image.open(e.poster))) for e in examples)
    buttons = (
        f'<button type="button" data-number="{n}"><img src="{poster}" alt=""><span>{escape(e.title)}</span></button>'
        for n, (e, poster) in enumerate(zip(examples, posters))
    )
    return f'<p class="au-small">Or try an example:</p><div class="au-examples">{"".join(buttons)}</div>'
