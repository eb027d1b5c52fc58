"""Plain paragraphs from the markups that Debian's documentation comes in.

Each reader takes the text of one file and yields paragraphs; `prose` then
keeps those that read as English sentences, because tables, code and option
lists teach a model of this size little and make perplexity hard to compare.
"""

import re
from html.parser import HTMLParser

BULLET = re.compile(r"^\s*(?:[-*+•]|\(?\d{1,2}[.)]|#\.|\.+|[a-z]\))\s+")
RULE = re.compile(r"^\s*([=\-~^\"'`#*+.:_|])\1{2,}\s*$")


def blocks(lines):
    """Split lines into paragraphs at blank lines, bullets and term lines."""
    block, indent, bullet_first = [], 0, False
    for line in lines + [""]:
        text = line.strip()
        here = len(line) - len(line.lstrip())
        bullet = BULLET.match(line)
        # A line deeper than the first of its paragraph follows a term.
        deeper = len(block) == 1 and here > indent + 1 and not bullet_first
        if not text or RULE.match(line) or bullet or deeper:
            if block:
                yield " ".join(block)
            block = []
        if text and not RULE.match(line):
            if not block:
                indent, bullet_first = here, bool(bullet)
            block.append(BULLET.sub("", line).strip() if bullet else text)


def read_rst(text):
    lines = []
    for line in text.split("\n"):
        if re.match(r"\s*\.\.(\s|$)", line) or re.match(r"\s*:[\w -]+:(\s|$)", line):
            # Directives, comments and field lists end a paragraph.
            lines.append("")
        else:
            lines.append(line)
    for p in blocks(lines):
        p = re.sub(r":[\w:+-]+:`([^`]*)`", r"`\1`", p)
        p = re.sub(r"`([^`<]*?)\s*<[^`>]*>`_{0,2}", r"\1", p)
        p = re.sub(r"``?!?~?([^`]*)``?_{0,2}", r"\1", p)
        p = re.sub(r"(?<![\w*])\*{1,2}([^*\s](?:[^*]*[^*\s])?)\*{1,2}(?![\w*])", r"\1", p)
        p = re.sub(r"\[[#\w]+\]_|\|(\w+)\|", "", p).replace("\\", "")
        if p.endswith("::"):
            p = p[:-1]
        yield p


def read_asciidoc(text):
    lines = []
    for line in text.split("\n"):
        listing = re.match(r"^(\+|\[.*\]|//.*|:.*:.*|.*::|include::.*|ifn?def::.*|endif::.*)$", line)
        lines.append("" if listing else line)
    for p in blocks(lines):
        p = re.sub(r"link(?:git)?:([\w./-]+)\[(\d)\]", r"\1(\2)", p)
        p = re.sub(r"link:\S+?\[([^\]]*)\]", r"\1", p)
        p = re.sub(r"<<[^,>]*,([^>]*)>>", r"\1", p)
        p = re.sub(r"<<([^>]*)>>", r"\1", p)
        p = re.sub(r"`([^`]*)`", r"\1", p)
        p = re.sub(r"(?<!\w)[_*']([^_*']+)[_*'](?!\w)", r"\1", p)
        yield p


def read_pod(text):
    for block in re.split(r"\n\s*\n", text):
        # Blocks that start with a blank are code, with '=' commands.
        if not block.strip() or block.lstrip("\n")[0] in " \t=":
            continue
        p = " ".join(block.split())
        for _ in range(4):
            p = re.sub(r"\b[A-Z]<<+ (.*?) >>+", r"\1", p)
            p = re.sub(r"\bL<([^|<>]*)\|[^<>]*>", r"\1", p)
            p = re.sub(r"\bE<lt>", "less-than", p)
            p = re.sub(r"\bE<gt>", "greater-than", p)
            p = re.sub(r"\b[XZ]<[^<>]*>", "", p)
            p = re.sub(r"\b[A-Z]<([^<>]*)>", r"\1", p)
        yield p


ROFF = [(r"\\f(?:\[[^\]]*\]|\(..|.)", ""), (r"\\s[-+]?\d", ""), (r"\\\(aq", "'"),
        (r"\\\(l?q|\\\(dq|\\\(rq", '"'), (r"\\\(em", " - "), (r"\\\(en", "-"),
        (r"\\\[bu\]|\\\(bu", ""), (r"\\-", "-"), (r"\\&|\\/|\\,|\\%|\\:|\\\|", ""),
        (r"\\~|\\ ", " "), (r"\\e|\\\(rs", "/"), (r"\\\((..)", ""),
        (r"\\\[([^\]]*)\]", ""), (r"\\", "")]


def unroff(text):
    text = re.sub(r'\\".*', "", text)
    for pattern, to in ROFF:
        text = re.sub(pattern, to, text)
    return text


def read_man(text):
    block, plain, skip_tag = [], True, False
    for line in text.split("\n") + [".PP"]:
        if line.startswith((".", "'")):
            name, _, rest = line[1:].strip().partition(" ")
            if name in ("B", "I", "BR", "RB", "IR", "RI", "BI", "IB", "SM", "SB"):
                args = [a.strip('"') for a in re.findall(r'"[^"]*"|\S+', rest)]
                line = ("" if len(name) == 2 and name[0] != "S" else " ").join(args)
            elif name.startswith('\\"') or name in ("ad", "hy", "na", "ne", "ie", "el", "if"):
                continue
            else:
                if name in ("nf", "EX", "TS"):
                    plain = False
                elif name in ("fi", "EE", "TE"):
                    plain = True
                if block:
                    yield unroff(" ".join(block))
                # The line after .TP is the term that it describes.
                block, skip_tag = [], name in ("TP", "TQ")
                continue
        if skip_tag:
            skip_tag = False
        elif not line.strip():
            if block:
                yield unroff(" ".join(block))
            block = []
        elif plain:
            block.append(line.strip())


class Paragraphs(HTMLParser):
    BLOCK = {"p", "li", "dd", "dt", "div", "td", "th", "br", "ul", "ol", "dl", "table",
             "section", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "body"}
    SKIP = {"pre", "script", "style", "nav", "head", "footer", "textarea", "table", "dt", "title"}

    def __init__(self):
        super().__init__()
        self.out, self.text, self.skip = [], [], 0

    def flush(self):
        text = " ".join("".join(self.text).split())
        if text:
            self.out.append(text)
        self.text = []

    def handle_starttag(self, tag, attrs):
        if tag in self.BLOCK or tag in self.SKIP:
            self.flush()
        self.skip += tag in self.SKIP

    def handle_endtag(self, tag):
        if tag in self.BLOCK or tag in self.SKIP:
            self.flush()
        if tag in self.SKIP and self.skip:
            self.skip -= 1

    def handle_data(self, data):
        if not self.skip:
            self.text.append(data.replace("¶", ""))


def read_html(text):
    parser = Paragraphs()
    parser.feed(text)
    parser.flush()
    return parser.out


PUNCTUATION = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "…": "...",
               "\u00a0": " ", "\u200b": "", "\ufeff": "", "\u00ad": ""}


def prose(paragraph):
    """The paragraph, tidied, or None when it is not a piece of English prose."""
    for a, b in PUNCTUATION.items():
        paragraph = paragraph.replace(a, b)
    p = " ".join(paragraph.split())
    p = re.sub(r"\s+([,.;:!?)])", r"\1", p)
    words = p.split()
    if len(words) < 8 or len(p) < 45 or not p.isascii():
        return None
    if not (p[0].isupper() or p[0] in "\"'(") or p[-1] not in ".:!?)\"":
        return None
    if re.search(r"[{}<>|=\\;]|https?:|www\.|::|\.\. |__|--|[*`]", p):
        return None
    letters = sum(ch.isalpha() or ch == " " for ch in p)
    plain = sum(bool(re.fullmatch(r"[(\"']*[A-Za-z][a-z'-]*[a-z]?[)\"',.:;!?]*|[aAI]", w)) for w in words)
    if letters < 0.92 * len(p) or plain < 0.85 * len(words):
        return None
    return p
