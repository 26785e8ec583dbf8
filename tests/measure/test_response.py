"""Responses and Jacobians for the gates page."""

import numpy as np
import pytest

from minimidl.measure.response import SCORES, K, jacobian, response


def test_a_jacobian_is_that_of_the_response():
    step, numeric = 1e-6, np.zeros((len(SCORES), len(SCORES)))
    for j in range(len(SCORES)):
        for sign in (1, -1):
            SCORES[j] += sign * step
            numeric[:, j] += sign * response("lapsum", 0.5) / (2 * step)
            SCORES[j] -= sign * step
    np.testing.assert_allclose(jacobian("lapsum", 0.5), numeric, atol=1e-8)


@pytest.mark.parametrize(("name", "total"), [("sigmoid", K), ("hard", K), ("gumbel", K),
                                             ("sparsemax", 1), ("soft-rank", 36)])
def test_answers_have_their_sum_and_jacobians_keep_it(name, total):
    assert response(name, 0.5).sum() == pytest.approx(total)
    np.testing.assert_allclose(jacobian(name, 0.5).sum(axis=0), 0, atol=1e-12)
