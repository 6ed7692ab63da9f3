"""From Markdown to clean HTML: the parser, our additions to it, highlighting and the sanitiser.

Pure: text in, text out. Links to pages (``node:12``) pass through unresolved; finding and rewriting
destinations inside the source is the business of :mod:`myproject.content.destinations`.

Everything a page shows goes through here, so hostile input is the normal case. Two layers guard
the reader: raw HTML is first reduced to well-nested known tags (``rawhtml``, which keeps the HTML
parser's work proportional to the input), and the finished page is cleaned by nh3 (``sanitizer``),
which alone decides what is safe.
"""

from myproject.content.markup.blocks import Heading
from myproject.content.markup.renderer import MarkdownRenderer, Rendered, markup

__all__ = ["Heading", "MarkdownRenderer", "Rendered", "markup"]
