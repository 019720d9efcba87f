"""Linear programmes over one system of equations, solved again and again with other costs and bounds: each starts from the last.

The solver's and the auditor's problems differ in one objective only; HiGHS's simplex goes on from the basis that it has
(Huangfu and Hall, Mathematical Programming Computation 10 (2018) 119-142).
"""

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

type Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answer:
    """An optimum: the columns' values, and the duals of the equations."""

    values: Numbers
    duals: Numbers


class _Quiet(highspy.Highs):
    """HiGHS without its banner, which would stand among what a process says on its standard output."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library types its methods, not its constructor

    def enableCallbacks(self) -> None:
        self.silent()


class Programme:
    """Minimise ``cost @ x`` where ``equal @ x = right`` and each x lies within its bounds.

    Parameters
    ----------
    equal : rows x columns
    right : one number a row
    low, high : one number a column; `inf` where there is no bound
    """

    def __init__(self, equal: csc_array, right: Numbers, low: Numbers, high: Numbers) -> None:
        system = csc_array(equal)
        self.size = int(system.shape[1])
        self._columns = np.arange(self.size, dtype=np.int32)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.size, int(system.shape[0])
        model.col_cost_ = np.zeros(self.size)
        model.col_lower_, model.col_upper_ = low, high
        model.row_lower_ = model.row_upper_ = right
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = system.indptr, system.indices
        model.a_matrix_.value_ = system.data.astype(np.float64)
        self._solver = _Quiet()
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("presolve", "off")  # it would throw the last basis away
        self._solver.passModel(model)

    def least(self, cost: Numbers, low: Numbers, high: Numbers) -> Answer | None:
        """The optimum under other costs and bounds; None where there is none, or it was not found.

        Parameters
        ----------
        cost : one number a column
        low, high : one number a column; `inf` where there is no bound
        """
        self._solver.changeColsCost(self.size, self._columns, cost)
        self._solver.changeColsBounds(self.size, self._columns, low, high)
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        found = self._solver.getSolution()
        return Answer(np.array(found.col_value), np.array(found.row_dual))
