"""The stylesheet of the report's page."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2127; --soft: #626a75; --line: #e2e5e9; --page: #fff;
  --tint: #f5f6f8; --accent: #2f5bd0; --good: #1c7a4c; --bad: #a83a2c;
  --s0: #2f5bd0; --s1: #c8873a; --s2: #6f7b8b; --s3: #4a9a8a; --s4: #9a6bb5; --s5: #b9bf6a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #9aa3ae; --line: #31363d;
  --page: #16191d; --tint: #1e2227; --accent: #86a6ff; --good: #6fce9f; --bad: #f0988b;
  --s0: #86a6ff; --s1: #e0ac6b; --s2: #8a95a3; --s3: #79c4b5; --s4: #c49add; --s5: #d3d98c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3rem 0 .75rem; padding-top: 1.25rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 2rem 0 .5rem; }
h4 { font-size: .95rem; margin: 0 0 .35rem; overflow-wrap: anywhere; }
small, .note, figcaption, caption { color: var(--soft); font-size: .8rem; font-weight: 400; }
.headline { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; margin: .5rem 0; }
.headline strong { font-size: 2.6rem; line-height: 1; font-variant-numeric: tabular-nums; }
.headline span { color: var(--soft); }
.verdict { border-left: 3px solid; padding: .5rem .9rem; background: var(--tint);
  max-width: 52rem; }
.good { border-color: var(--good); } .bad { border-color: var(--bad); }
.wide { overflow-x: auto; }
.wide svg { min-width: 34rem; }
table { border-collapse: collapse; width: 100%; font-size: .88rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .25rem 0; }
th, td { padding: .4rem .5rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--soft); font-size: .8rem; font-weight: 500; }
tbody th { font-weight: 400; } .ours th, .ours td { font-weight: 600; }
td small { display: block; }
svg { width: 100%; height: auto; max-width: 45rem; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .label { text-anchor: end; } svg .axis { stroke: var(--line); }
svg .whisker { stroke: var(--ink); stroke-width: 1.2; opacity: .65; }
svg .line { fill: none; stroke: var(--accent); stroke-width: 1.8; stroke-linejoin: round; }
svg .dot { fill: var(--accent); }
.series-0 { fill: var(--s0); background: var(--s0); }
.series-1 { fill: var(--s1); background: var(--s1); }
.series-2 { fill: var(--s2); background: var(--s2); }
.series-3 { fill: var(--s3); background: var(--s3); }
.series-4 { fill: var(--s4); background: var(--s4); }
.series-5 { fill: var(--s5); background: var(--s5); }
.legend { display: flex; gap: 1.1rem; flex-wrap: wrap; list-style: none; padding: 0;
  font-size: .85rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px;
  margin-right: .4rem; }
.curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem;
  align-items: start; }
article { background: var(--tint); border-radius: 8px; padding: .9rem 1rem; font-size: .85rem; }
article p { margin: .25rem 0; color: var(--soft); }
article ol { margin: .5rem 0 0; padding-left: 1.6rem; }
article p, li span { display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 2; overflow: hidden; }
article .right { color: var(--good); font-weight: 600; } .right span::before { content: "\\2713 "; }
article + article { margin-top: 1rem; } .cards article + article { margin-top: 0; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
abbr { text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; }
details { margin: 1rem 0; } summary { cursor: pointer; color: var(--accent); }
dl { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .25rem 1.25rem;
  margin: .75rem 0; font-size: .85rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; } dd dl { margin: 0; }
@media print { main { max-width: none; padding: 0; } article, figure, tr { break-inside: avoid; }
  body { font-size: 11px; } }
"""
