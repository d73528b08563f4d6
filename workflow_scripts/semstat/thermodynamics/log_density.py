"""A penalised spline for the logarithm of a density, from counts on the energy grid.

ln ρ(E) = Σ_a β_a B_a(u(E)): cubic B-splines on equidistant knots of a coordinate u in which the
density is tame (`Coordinate`). The counts y_j of the cells are Poisson with means
μ_j = ∫_cell exp(ln ρ) dE (Gauss–Legendre, exact where the density is steep within a cell), and β
maximises the log-likelihood minus λ/2 ∫ (d² ln ρ / du²)² du. A penalty, rather than a kernel, has
no boundary bias: beyond the data ln ρ goes on as a straight line in u, which is a power law in the
distance from 0 or from ±1.

λ maximises the restricted likelihood (REML); the coordinate minimises AIC. In that coordinate λ
then varies along u, by the same likelihood, so that one jump or narrow bump does not roughen all.

Eilers & Marx, "Flexible smoothing with B-splines and penalties", Statist. Sci. 11, 89 (1996),
doi:10.1214/ss/1038425655; Wood, Pya & Säfken, J. Am. Stat. Assoc. 111, 1548 (2016),
doi:10.1080/01621459.2016.1180986.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.optimize import minimize_scalar

from .holes import Tail
from .spline_basis import BAND, LOGARITHMIC, UNRESOLVED, Basis, Coordinate

Array = NDArray[np.float64]

CENTRE_SCALES = (1.0, 1e-2, 1e-4, LOGARITHMIC)
"""Scales at which the coordinate may turn from linear to logarithmic around 0."""

CENTRE_GAIN = 12.0
"""By how much a finer centre has to lower AIC: noise alone does so by less."""

LOG_SMOOTHING = (-9.0, 18.0)
"""Range of ln λ."""

RIDGE = 1e-8
"""Weight of β² in the penalty: settles a side of 0 without states. `ROUNDING` settles Cholesky."""

ROUNDING = 1e-14

BIAS_SHARE = 0.7
"""Share of the expected squared bias that error bars carry.

Densities are mostly tamer than draws from the penalty's prior. With all of it, 95% bands of T held
in 98% of the data sets of `benchmarks.coverage`; with half, intervals failed at single energies.
"""

TAIL_REACH = 2.0
"""Over how much of u, in e-folds, curvature is looked for and may persist in a tail."""

NEARBY = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 3
"""Weights of neighbouring differences in a local λ: jumps and bumps are as narrow as a few knots.

Set, as the constants below, on systems with gaps, jumps and narrow bumps (tests/thermodynamics) and
on `closed_forms.all_systems`.
"""

COMMON = 1.0
"""How many differences the λ common to all counts for beside those nearby."""

LOCAL_ROUNDS, LOCAL_TOLERANCE, OVERSHOOT = 25, 0.15, 1.7
"""Rounds at most for the local λ; change of ln λ that is none; lengthening of the steps."""

RESOLVED_BEND = 0.5
"""Second difference of ln ρ from which on knots may lie too far apart for what is between them.

Beyond it, its own size is an error of ln ρ; below, next to none. Without it, 95% intervals next to
narrow bumps, dips and kinks held in none of 30 data sets (`benchmarks.systems.set_on_systems`).
"""


class Fit(NamedTuple):
    """A fitted log-density.

    beta_a : (splines,) coefficients of ln of the intensity, ∫ = number of (effective) states.
    inverse_aa : (splines, splines) (H + λP)⁻¹, the posterior covariance of β.
    score_aj : (splines, cells) Xᵀ: a change of counts moves β by inverse · score · change.
    bias_aa : (splines, splines) squared smoothing bias: `BIAS_SHARE` of A λP A, that expected under
        the penalty's prior (Nychka, J. Am. Stat. Assoc. 83, 1134 (1988),
        doi:10.1080/01621459.1988.10478711), and, of the density itself, `RESOLVED_BEND`.
    """

    basis: Basis
    beta_a: Array
    inverse_aa: Array
    score_aj: Array
    bias_aa: Array

    def bias_modes(self) -> Array:
        """(splines, modes) independent directions of the smoothing bias, one deviation long.

        The symmetric root: eigenvectors may turn with the last bit, so with the number of threads,
        and what is drawn along them with them.
        """
        square_u, mode_au = np.linalg.eigh((self.bias_aa + self.bias_aa.T) / 2)
        modes_au: Array = (mode_au * np.sqrt(np.maximum(square_u, 0.0))) @ mode_au.T
        return modes_au

    def tail_modes(self, tails: list[Tail]) -> Array:
        """(splines, 2 tails) how ln ρ may yet bend beyond well-populated energies.

        It goes on in a straight line there; it might as well keep, over `TAIL_REACH` in u, the
        curvature that it has, root mean square (at a hole, the largest), over as much on the inner
        side of where the tail begins; or go on as a power of |E| where u turns from its logarithm
        to that of 1 ± E.
        """
        coordinate, size = self.basis.coordinate, self.basis.size
        u_a = self.basis.centre_a
        second_aa = np.zeros((size, size))
        second_aa[1:-1] = np.diff(np.eye(size), 2, axis=0) / self.basis.step**2
        bent_a = second_aa @ self.beta_a
        run_a = np.searchsorted(self.basis.run_offset, np.arange(size), side="right")
        modes = []
        for tail in tails:
            ends = np.clip(tail, -1 + UNRESOLVED, 1 - UNRESOLVED)
            begin, end = coordinate.of(ends)
            side = np.sign(end - begin)
            outward_a = side * (u_a - begin)
            first = int(np.argmin(np.abs(outward_a)))
            same_a = run_a == run_a[first]
            near_a = (outward_a < 0) & (outward_a > -TAIL_REACH) & same_a
            inside_a = same_a & (side * (end - u_a) > -3 * self.basis.step)
            curvature = 0.0
            if near_a.any():
                mean_a = second_aa[near_a].mean(axis=0)
                # A density that falls into a hole bends ever more on its way.
                square = (np.max if tail.into_hole else np.mean)(bent_a[near_a] ** 2)
                square += mean_a @ self.inverse_aa @ mean_a
                curvature = float(np.sqrt(square))
            bending_a = np.clip(outward_a, 0, TAIL_REACH)
            modes.append(curvature * bending_a * (outward_a - bending_a / 2) * inside_a)
            slope = float(np.gradient(self.beta_a)[first]) / self.basis.step
            modes.append(slope * coordinate.turning(ends[0], u_a) * (outward_a > 0) * inside_a)
        modes_au = np.stack(modes, axis=1)
        # On its way to 0 there are states, which tell how much it bends: a normal prior, updated.
        mean_j, _ = self.basis.means(self.beta_a)
        told_u = mean_j @ (self.score_aj.T @ modes_au) ** 2
        towards_zero_u = np.repeat([tail.end == 0 for tail in tails], 2)
        told_au: Array = modes_au / np.sqrt(1 + told_u * towards_zero_u)
        return told_au


class _Problem:
    """Counts of one ensemble in one coordinate; finds β for a λ, and the λ of highest REML."""

    def __init__(self, basis: Basis, count_j: Array, order: int) -> None:
        self.basis, self.count_j, self.order = basis, count_j, order
        self.weight_k = np.exp(basis.freedom(order))
        self.penalty = basis.penalty(order, self.weight_k)
        self.beta_a = self._start()
        search = minimize_scalar(
            self._restricted, bounds=LOG_SMOOTHING, method="bounded", options={"xatol": 0.1}
        )
        self.smoothing = float(np.exp(search.x))
        _, self.factor = self._solve(self.smoothing, tolerance=1e-10)

    def adapt(self) -> None:
        """Let λ vary along u, so that ln ρ may jump or bend in one place and be smooth in another.

        The inverse of each difference's prior variance, λw, has a Gamma prior about the λ common to
        all, which is their mean. It is the ratio of what is known, degrees of freedom over squared
        differences, summed over those nearby: the fixed point of the restricted likelihood (MacKay,
        Neural Comput. 4, 415 (1992), doi:10.1162/neco.1992.4.3.415; Wood & Fasiolo, Biometrics 73,
        1071 (2017), doi:10.1111/biom.12666).
        """
        common_k = self.smoothing * self.weight_k / self.basis.step ** (2 * self.order - 1)
        local_k, mean = np.ones_like(common_k), 1.0
        for _ in range(LOCAL_ROUNDS):
            square_k = common_k * self.basis.differences(self.beta_a, self.order) ** 2
            variance_k = self.basis.difference_variances(self._inverse(), self.order)
            known_k = np.maximum(1 - common_k * local_k * variance_k, 0.0)
            ratio_k = (COMMON + np.convolve(known_k, NEARBY, "same")) / (
                COMMON / mean + np.convolve(square_k, NEARBY, "same")
            )
            step_k = np.log(ratio_k / local_k)
            local_k = local_k * np.exp(OVERSHOOT * step_k)
            mean = float(local_k.mean())
            self.penalty = self.basis.penalty(self.order, self.weight_k * local_k)
            _, self.factor = self._solve(self.smoothing)
            if np.abs(step_k).max() < LOCAL_TOLERANCE:
                break
        _, self.factor = self._solve(self.smoothing, tolerance=1e-10)

    def _inverse(self) -> Array:
        inverse_aa: Array = cho_solve_banded((self.factor, False), np.eye(self.basis.size))
        return inverse_aa

    def _start(self) -> Array:
        """Least squares on the logarithms of the counts, well smoothed."""
        basis = self.basis
        count_j = self.count_j + 1e-3 * np.mean(self.count_j)
        row_ja = basis.value_jqa[:, 1]
        target_j = np.log(count_j / basis.weight_jq.sum(axis=1))
        system = basis.gram(row_ja, count_j) + 10.0 * self.penalty
        right_a = basis.transpose(row_ja, count_j * target_j)
        beta_a: Array = cho_solve_banded((self._factor(system), False), right_a)
        return beta_a

    @staticmethod
    def _factor(system: Array) -> Array:
        """Cholesky factor; RIDGE is the prior, the rest is against rounding at large λ."""
        system[-1] += RIDGE + ROUNDING * system[-1].max()
        factor: Array = cholesky_banded(system)
        return factor

    def _penalised(self, beta_a: Array, smoothing: float) -> tuple[float, Array, Array]:
        mean_j, row_ja = self.basis.means(beta_a)
        fit = float(self.count_j @ np.log(np.maximum(mean_j, 1e-300)) - mean_j.sum())
        rough = smoothing * beta_a @ self._times_penalty(beta_a) + RIDGE * beta_a @ beta_a
        return fit - float(rough) / 2, mean_j, row_ja

    def _times_penalty(self, beta_a: Array) -> Array:
        product_a: Array = self.penalty[-1] * beta_a
        for lag in range(1, BAND):
            off = self.penalty[-1 - lag, lag:]
            product_a[:-lag] += off * beta_a[lag:]
            product_a[lag:] += off * beta_a[:-lag]
        return product_a

    def _solve(self, smoothing: float, tolerance: float = 1e-6) -> tuple[float, Array]:
        """Newton's method with halving; leaves β in place and returns REML's factor with it."""
        value, mean_j, row_ja = self._penalised(self.beta_a, smoothing)
        for _ in range(50):
            system = self.basis.gram(row_ja, mean_j) + smoothing * self.penalty
            factor = self._factor(system)
            gradient = self.basis.transpose(row_ja, self.count_j - mean_j)
            gradient -= smoothing * self._times_penalty(self.beta_a) + RIDGE * self.beta_a
            step_a = cho_solve_banded((factor, False), gradient)
            gain = float(gradient @ step_a)
            length = 1.0
            while gain > tolerance and length > 1e-4:
                trial = self._penalised(self.beta_a + length * step_a, smoothing)
                if trial[0] >= value:
                    break
                length /= 2
            if gain <= tolerance or length <= 1e-4:
                break
            self.beta_a = self.beta_a + length * step_a
            value, mean_j, row_ja = trial
        return value, factor

    def _restricted(self, log_smoothing: float) -> float:
        """−ln of the Laplace-approximate restricted likelihood of λ."""
        value, factor = self._solve(float(np.exp(log_smoothing)))
        prior = np.sum(log_smoothing + np.log(self.weight_k)) / 2
        return -value + float(np.log(factor[-1]).sum()) - float(prior)

    def criterion(self) -> float:
        """AIC with the effective degrees of freedom of the fit, and the handicap of its centre."""
        mean_j, row_ja = self.basis.means(self.beta_a)
        banded = self.basis.gram(row_ja, mean_j)
        inverse_aa = self._inverse()
        degrees = float(banded[-1] @ np.diag(inverse_aa))
        for lag in range(1, BAND):
            degrees += 2 * float(banded[-1 - lag, lag:] @ np.diag(inverse_aa, lag))
        likelihood = float(self.count_j @ np.log(np.maximum(mean_j, 1e-300)) - mean_j.sum())
        handicap = 0.0 if self.basis.coordinate.centre == CENTRE_SCALES[0] else CENTRE_GAIN
        return 2 * degrees - 2 * likelihood + handicap

    def fit(self) -> Fit:
        mean_j, row_ja = self.basis.means(self.beta_a)
        inverse_aa = self._inverse()
        score_aj = np.zeros((self.basis.size, len(mean_j)))
        score_aj[self.basis.index_ja, np.arange(len(mean_j))[:, None]] = row_ja
        expected_aa = inverse_aa - inverse_aa @ (score_aj * mean_j) @ score_aj.T @ inverse_aa
        bias_aa = BIAS_SHARE * expected_aa
        if self.order == 2:  # of a higher one, second differences are what is asked for
            second_a = np.zeros(self.basis.size)
            second_a[1:-1] = np.diff(self.beta_a, 2)
            square_a = second_a**4 / (second_a**2 + RESOLVED_BEND**2)
            bias_aa += np.diag(np.convolve(square_a, [0.5, 1.0, 0.5], "same"))
        return Fit(self.basis, self.beta_a, inverse_aa, score_aj, bias_aa)


def fit_log_density(count_j: Array, low_j: Array, high_j: Array, order: int = 2) -> Fit:
    """Fit the logarithm of a density to counts in energy cells.

    Parameters
    ----------
    count_j : (cells,) states, or effective states, in (low_j, high_j]; cells may leave gaps, about
        which nothing is then assumed.
    low_j, high_j : (cells,) ends of the cells, in [−1, 1]; no cell contains 0 inside.
    order : of the derivative of ln ρ that is penalised, 2 to 4. With 2, ln ρ goes on as a straight
        line beyond the data, but its second derivative is noise; 4 suits that derivative.

    Returns
    -------
    The fit in the coordinate of least AIC.

    Raises
    ------
    ValueError
        If fewer than two cells hold a state.
    """
    if np.count_nonzero(count_j) < 2:
        raise ValueError("a density needs states in at least two cells of the energy grid")

    problems = [
        _Problem(Basis(Coordinate(c), low_j, high_j), count_j, order) for c in CENTRE_SCALES
    ]
    best = min(problems, key=_Problem.criterion)
    if order == 2:
        best.adapt()
    return best.fit()
