"""Do the error bars hold what they promise? Simulated on systems that are known exactly.

Data sets are drawn of each system by each design of documents, and it is counted how often 95%
intervals and bands hold the truth. Parts:

curves : S, T and S_B of one ensemble, its tail, and what is flagged as not told by the data.
wells : the numbers of `describe_wells`.
differences : of the curves of two ensembles.
distances : p-values, by ratio of documents.

Constants may be set on the systems of the roles `textbook` and `set on`; those of the role `judge`
only judge.

    python -m benchmarks.coverage --out coverage

What makes intervals of curves hold is shown by leaving it out: `--intervals`.
"""
