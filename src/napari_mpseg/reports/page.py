"""The page around a report: one file, nothing loaded from elsewhere, to be read on a screen and on paper."""

from string import Template

from napari_mpseg.reports.markup import Markup, element

_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1a1a1a; --soft: #5c5c5c; --line: #c9c9c9; --shade: #f3f3f3; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #191b1e; --text: #e6e6e6; --soft: #a8a8a8; --line: #45484d; --shade: #24272b; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 64rem; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; line-height: 1.2; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .7rem; border-top: 2px solid var(--text); }
h3 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p { margin: .4rem 0; max-width: 46rem; }
a { color: inherit; }
.small { font-size: .9em; }
.soft, caption, dt, figcaption { color: var(--soft); }
nav ul { margin: .6rem 0; padding-left: 1.2rem; columns: 16rem; }
.wide { overflow-x: auto; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .22rem .7rem; border-bottom: 1px solid var(--line); text-align: right; overflow-wrap: normal; }
th:first-child { text-align: left; padding-left: 0; overflow-wrap: anywhere; min-width: 7rem; }
thead th { border-bottom: 1px solid var(--text); vertical-align: bottom; font-weight: 600; }
tbody th { font-weight: 400; }
td { white-space: nowrap; }
tr.sum > * { font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .15rem 1.2rem; margin: .6rem 0; }
dt, dd { margin: 0; }
ul.notes { margin: .6rem 0; padding: .5rem .8rem .5rem 1.8rem; background: var(--shade);
  border-left: 3px solid #e69f00; }
figure { margin: 1rem 0; break-inside: avoid; }
figure img { display: block; max-width: 100%; max-height: 40rem; height: auto;
  background: #fff; border: 1px solid var(--line); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: .5rem 1.2rem; }
figcaption { font-size: .9em; margin-top: .25rem; }
details pre { background: var(--shade); padding: .7rem; overflow-x: auto; font-size: .82em; white-space: pre-wrap; }
summary { cursor: pointer; }
@media print {
  :root { --ground: #fff; --text: #000; --soft: #444; --line: #bbb; --shade: #f3f3f3; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav { display: none; }
  h2, h3 { break-after: avoid; }
  section.image { break-before: page; }
  table { font-size: 9pt; }
  th, td { padding: .15rem .4rem; }
  tr { break-inside: avoid; }
  .wide { overflow: visible; }
  .figures { grid-template-columns: 1fr 1fr; }
}
"""

_PAGE = Template(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="napari-mpseg">
$title
<style>$style</style>
</head>
<body>
$body
</body>
</html>
"""
)


def page(title: str, body: Markup) -> str:
    """Return a whole HTML page, UTF-8, with its style inside."""
    return _PAGE.substitute(title=element("title", title), style=_STYLE, body=body)
