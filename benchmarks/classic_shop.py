"""The classic demo's way to answer, rebuilt from its description, to be measured beside ours.

The words are looked for as they stand in the titles; the first product that has them is the
query, and its neighbours by cosine are the answer, after a sort of the whole catalogue. Flask and
pandas, as it was; they are no dependencies of this project: `pip install flask pandas`.

    python benchmarks/classic_shop.py BUNDLE PORT
"""

import logging
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from flask import Flask, jsonify, request

bundle = Path(sys.argv[1])
items = pd.read_parquet(bundle / "data" / "items.parquet").reset_index(drop=True)
vectors = np.load(bundle / "model" / "vectors.npy").astype(np.float32)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
app = Flask(__name__)


def shown(row, **more):
    found = items.iloc[row]
    names = {"asin": "item_id", "title": "title", "brand": "brand", "category": "category"}
    return {**{ours: found.get(theirs) for ours, theirs in names.items()}, **more}


@app.get("/api/recommend")
def recommend():
    query, top_k = request.args["q"], int(request.args.get("top_k", 10))
    matches = items[items["title"].str.contains(query, case=False, na=False)]
    if len(matches) == 0:
        return jsonify(error="no product found"), 404
    row = matches.index[0]
    scores = vectors @ vectors[row]
    best = [one for one in np.argsort(-scores) if one != row][:top_k]
    listed = [shown(one, rank=n, score=float(scores[one])) for n, one in enumerate(best, 1)]
    return jsonify(query=query, query_item=shown(row), recommendations=listed)


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run(port=int(sys.argv[2]), threaded=True)
