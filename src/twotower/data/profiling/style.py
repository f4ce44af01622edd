"""The stylesheet of the profile's page."""

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b2026; --soft: #5c6570; --line: #e3e6ea; --page: #f6f7f9;
  --card: #fff; --accent: #2f5bd0; --wash: #2f5bd022; --good: #1c7a4c; --bad: #a83a2c;
  --s0: #2f5bd0; --s1: #e0913a; --s2: #2f9e86; --s3: #9a6bb5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a0a9b4; --line: #2e343b;
  --page: #121519; --card: #1a1e23; --accent: #86a6ff; --wash: #86a6ff22; --good: #6fce9f;
  --bad: #f0988b; --s0: #86a6ff; --s1: #eab06c; --s2: #6fcbb5; --s3: #c49add; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 3rem 0 1rem; letter-spacing: -.01em; }
h3 { font-size: .95rem; margin: 0 0 .15rem; }
p { margin: .25rem 0; } .soft, h3 + p { color: var(--soft); font-size: .85rem; }
h3 + p { margin-bottom: .9rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.6rem, 1fr)); gap: 1rem;
  margin: 1.75rem 0; }
.tiles div, figure, .checks, .scroll { background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; }
.tiles div { padding: .9rem 1.1rem; } .tiles span { color: var(--soft); font-size: .8rem; }
.tiles strong { display: block; font-size: 1.3rem; white-space: nowrap;
  line-height: 1.25; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(25rem, 100%), 1fr));
  gap: 1rem; }
figure { margin: 0; padding: 1.1rem 1.2rem; min-width: 0; } .wide { grid-column: 1 / -1;
  overflow-x: auto; } .wide svg { min-width: 44rem; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .end { text-anchor: end; } svg .mid { text-anchor: middle; }
svg .strong { fill: var(--ink); font-weight: 600; }
svg .grid { stroke: var(--line); } svg .mark { stroke: var(--ink); stroke-dasharray: 3 3; }
svg .even { stroke: var(--soft); stroke-dasharray: 2 4; }
svg .line { fill: none; stroke: var(--accent); stroke-width: 2; } svg .area { fill: var(--wash); }
.s0 { fill: var(--s0); background: var(--s0); } .s1 { fill: var(--s1); background: var(--s1); }
.s2 { fill: var(--s2); background: var(--s2); } .s3 { fill: var(--s3); background: var(--s3); }
ul { list-style: none; margin: 0; padding: 0; }
.row { display: grid; grid-template-columns: minmax(6rem, 34%) 1fr minmax(3.2rem, max-content);
  gap: .75rem; align-items: center; font-size: .85rem; padding: .16rem 0;
  font-variant-numeric: tabular-nums; }
.row > :last-child { text-align: right; color: var(--soft); }
.row .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.track { background: var(--wash); border-radius: 4px; height: .6rem; overflow: hidden; }
.track i { display: block; height: 100%; min-width: 1px; background: var(--accent);
  border-radius: 4px; }
.legend { display: flex; gap: 1rem; flex-wrap: wrap; font-size: .8rem; margin-bottom: .4rem; }
.legend i { display: inline-block; width: .65rem; height: .65rem; border-radius: 2px;
  margin-right: .35rem; }
.checks { padding: .4rem 1.2rem; }
.checks li { padding: .7rem 0 .7rem 1.7rem; border-top: 1px solid var(--line); position: relative; }
.checks li:first-child { border: 0; } .checks li::before { position: absolute; left: 0; }
.fine::before { content: "\\2713"; color: var(--good); font-weight: 700; }
.doubt::before { content: "!"; color: var(--bad); font-weight: 800; padding-left: .3rem; }
.checks p { color: var(--soft); font-size: .87rem; margin: 0; max-width: 60rem; }
.scroll { overflow-x: auto; padding: .3rem 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem;
  font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .75rem .5rem 0; text-align: left; border-top: 1px solid var(--line);
  vertical-align: top; }
thead th { border: 0; color: var(--soft); font-weight: 500; font-size: .8rem; }
tbody th { font-weight: 600; white-space: nowrap; } .number { text-align: right; }
td code { font: .78rem ui-monospace, monospace; color: var(--soft); overflow-wrap: anywhere; }
summary { cursor: pointer; } summary .name::before { content: "\\203A"; margin-right: .4rem;
  color: var(--accent); } details[open] summary .name::before { content: "\\2304"; }
details .rows { margin: .1rem 0 .6rem 1rem; } div.row .name { padding-left: .8rem; }
.sum { color: var(--soft); font-size: .87rem; margin: .8rem 0; }
@media print { body { background: #fff; } figure, tr { break-inside: avoid; } }
"""
