"""Documents are told apart by their numbers."""

import numpy as np

from workflow_scripts.semstat.mechanics.terms import documents_of


def test_documents_are_split_where_their_number_changes():
    column = {"doc": np.array([4, 4, 7, 9, 9]), "position": np.array([0, 1, 0, 0, 1])}
    pieces = list(documents_of(column))
    assert [piece["doc"].tolist() for piece in pieces] == [[4, 4], [7], [9, 9]]
    assert [piece["position"].tolist() for piece in pieces] == [[0, 1], [0], [0, 1]]
