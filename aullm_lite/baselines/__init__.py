"""What AU-LLM is measured against: simple methods on the same clips, folds and evaluator.

Each is a function `fit(train, inner, seed)` that returns a scorer, from a `ClipSet` to one real number per clip and AU,
larger where the AU is likelier.  None of them is shown a test label.
"""
