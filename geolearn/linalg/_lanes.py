"""Eight doubles side by side: the vector type of the kernels on small matrices.

Eight matrices are stored as one array of shape (n, n, 8), so that one instruction
works on the same entry of all eight. Compilers vectorise such loops only in part;
here a vector is a type of its own in jitted code, and a numpy array of length 8
where numba is switched off. Every operation acts on each lane alone, so the result
of a matrix does not depend on the matrices beside it.
"""

import operator

import numpy as np
from numba import config, types
from numba.core import cgutils
from numba.core.cgutils import ir  # the one that numba was made for
from numba.core.typing.templates import (
    ConcreteTemplate,
    infer_global,
    signature,
)
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = [
    "WIDTH",
    "absolute",
    "any_lane",
    "gather",
    "load",
    "load_row",
    "scatter",
    "select",
    "splat",
    "square_root",
    "store",
    "store_row",
]

WIDTH = 8

_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
_BITS = ir.VectorType(ir.IntType(1), WIDTH)


class Lanes(types.Type):
    """Eight doubles."""

    def __init__(self):
        super().__init__(name="Lanes")


class LaneMask(types.Type):
    """Eight truth values."""

    def __init__(self):
        super().__init__(name="LaneMask")


lanes = Lanes()
lane_mask = LaneMask()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _VECTOR)


@register_model(LaneMask)
class _LaneMaskModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _BITS)


# A product and a sum may be fused: one rounding less, as fast as the sum alone.
_FLAGS = ("contract",)
_ARITHMETIC = {
    operator.add: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
    operator.truediv: "fdiv",
}
_COMPARISON = {operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">="}


def _register_arithmetic(function, name):
    @infer_global(function)
    class _Signature(ConcreteTemplate):
        cases = (signature(lanes, lanes, lanes),)

    @lower_builtin(function, Lanes, Lanes)
    def _lower(context, builder, sig, args):
        return getattr(builder, name)(*args, flags=_FLAGS)


def _register_comparison(function, symbol):
    @infer_global(function)
    class _Signature(ConcreteTemplate):
        cases = (signature(lane_mask, lanes, lanes),)

    @lower_builtin(function, Lanes, Lanes)
    def _lower(context, builder, sig, args):
        return builder.fcmp_ordered(symbol, *args)


def _register_logic(function, name):
    @infer_global(function)
    class _Signature(ConcreteTemplate):
        cases = (signature(lane_mask, lane_mask, lane_mask),)

    @lower_builtin(function, LaneMask, LaneMask)
    def _lower(context, builder, sig, args):
        return getattr(builder, name)(*args)


for _function, _name in _ARITHMETIC.items():
    _register_arithmetic(_function, _name)
for _function, _name in _COMPARISON.items():
    _register_comparison(_function, _name)
_register_logic(operator.and_, "and_")
_register_logic(operator.or_, "or_")


@infer_global(operator.neg)
class _Negative(ConcreteTemplate):
    cases = (signature(lanes, lanes),)


@lower_builtin(operator.neg, Lanes)
def _lower_negative(context, builder, sig, args):
    return builder.fneg(args[0])


@infer_global(operator.invert)
class _Not(ConcreteTemplate):
    cases = (signature(lane_mask, lane_mask),)


@lower_builtin(operator.invert, LaneMask)
def _lower_not(context, builder, sig, args):
    return builder.not_(args[0])


def _pointer(context, builder, array_type, array, indices):
    # The last axis has length 8 always: its stride is known when compiling.
    view = context.make_array(array_type)(context, builder, array)
    shape = cgutils.unpack_tuple(builder, view.shape, array_type.ndim)
    offset = None
    for axis, index in enumerate(indices):
        if context.enable_boundscheck:
            cgutils.do_boundscheck(context, builder, index, shape[axis], axis)
        if offset is not None:
            index = builder.add(builder.mul(offset, shape[axis]), index)
        offset = index
    offset = builder.mul(offset, ir.Constant(offset.type, WIDTH))
    start = builder.gep(view.data, [offset])
    return builder.bitcast(start, _VECTOR.as_pointer())


def _load(typing, array, indices):
    def generate(context, builder, sig, args):
        numbers = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(args[1:], sig.args[1:], strict=True)
        ]
        place = _pointer(context, builder, sig.args[0], args[0], numbers)
        return builder.load(place, align=8)

    return lanes(array, *indices), generate


def _store(typing, array, indices):
    def generate(context, builder, sig, args):
        numbers = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(args[1:-1], sig.args[1:-1], strict=True)
        ]
        place = _pointer(context, builder, sig.args[0], args[0], numbers)
        builder.store(args[-1], place, align=8)
        return context.get_dummy_value()

    return types.none(array, *indices, lanes), generate


def _places(context, builder, sig, args):
    # Pointers to X[c, i, j] for the eight indices c.
    view = context.make_array(sig.args[0])(context, builder, args[0])
    chosen = cgutils.unpack_tuple(builder, args[1], WIDTH)
    i, j = (
        context.cast(builder, value, kind, types.intp)
        for value, kind in zip(args[2:4], sig.args[2:4], strict=True)
    )
    check = context.enable_boundscheck
    return [
        cgutils.get_item_pointer(
            context, builder, sig.args[0], view, [c, i, j], boundscheck=check
        )
        for c in chosen
    ]


def _gather(typing, X, chosen, i, j):
    def generate(context, builder, sig, args):
        result = ir.Constant(_VECTOR, ir.Undefined)
        for t, place in enumerate(_places(context, builder, sig, args)):
            number = ir.Constant(ir.IntType(32), t)
            result = builder.insert_element(result, builder.load(place), number)
        return result

    return lanes(X, chosen, i, j), generate


def _scatter(typing, X, chosen, i, j):
    def generate(context, builder, sig, args):
        for t, place in enumerate(_places(context, builder, sig, args)):
            number = ir.Constant(ir.IntType(32), t)
            builder.store(builder.extract_element(args[4], number), place)
        return context.get_dummy_value()

    return types.none(X, chosen, i, j, lanes), generate


def _unary(name):
    def generate(context, builder, sig, args):
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        callee = cgutils.get_or_insert_function(
            builder.module, kind, f"llvm.{name}.v{WIDTH}f64"
        )
        return builder.call(callee, args)

    return lanes(lanes), generate


if config.DISABLE_JIT:  # type: ignore[attr-defined]  # set at import

    def load(A, i, j):
        """Return the eight numbers A[i, j]."""
        return A[i, j].copy()

    def load_row(a, i):
        """Return the eight numbers a[i]."""
        return a[i].copy()

    def store(A, i, j, v):
        """Set A[i, j] to the eight numbers v."""
        A[i, j] = v

    def gather(X, chosen, i, j):
        """Return X[c, i, j] for the eight indices c of a tuple."""
        return np.array([X[c, i, j] for c in chosen])

    def scatter(X, chosen, i, j, v):
        """Set X[c, i, j] to the eight numbers v for the eight indices c."""
        for t in range(WIDTH):
            X[chosen[t], i, j] = v[t]

    def store_row(a, i, v):
        """Set a[i] to the eight numbers v."""
        a[i] = v

    def splat(x):
        """Return eight copies of a number."""
        return np.full(WIDTH, float(x))

    def square_root(v):
        """Return the square root of each lane."""
        return np.sqrt(v)

    def absolute(v):
        """Return the modulus of each lane."""
        return np.abs(v)

    def select(mask, a, b):
        """Return a where the mask holds and b elsewhere."""
        return np.where(mask, a, b)

    def any_lane(mask):
        """Return whether the mask holds in any lane."""
        return bool(mask.any())

else:

    @intrinsic
    def load(typing, A, i, j):
        """Return the eight numbers A[i, j]."""
        return _load(typing, A, (i, j))

    @intrinsic
    def load_row(typing, a, i):
        """Return the eight numbers a[i]."""
        return _load(typing, a, (i,))

    @intrinsic
    def store(typing, A, i, j, v):
        """Set A[i, j] to the eight numbers v."""
        return _store(typing, A, (i, j))

    @intrinsic
    def store_row(typing, a, i, v):
        """Set a[i] to the eight numbers v."""
        return _store(typing, a, (i,))

    @intrinsic
    def gather(typing, X, chosen, i, j):
        """Return X[c, i, j] for the eight indices c of a tuple."""
        return _gather(typing, X, chosen, i, j)

    @intrinsic
    def scatter(typing, X, chosen, i, j, v):
        """Set X[c, i, j] to the eight numbers v for the eight indices c."""
        return _scatter(typing, X, chosen, i, j)

    @intrinsic
    def splat(typing, x):
        """Return eight copies of a number."""

        def generate(context, builder, sig, args):
            zero = ir.Constant(ir.IntType(32), 0)
            first = builder.insert_element(
                ir.Constant(_VECTOR, ir.Undefined), args[0], zero
            )
            order = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
            return builder.shuffle_vector(
                first, ir.Constant(_VECTOR, ir.Undefined), order
            )

        return lanes(types.float64), generate

    @intrinsic
    def square_root(typing, v):
        """Return the square root of each lane."""
        return _unary("sqrt")

    @intrinsic
    def absolute(typing, v):
        """Return the modulus of each lane."""
        return _unary("fabs")

    @intrinsic
    def select(typing, mask, a, b):
        """Return a where the mask holds and b elsewhere."""

        def generate(context, builder, sig, args):
            return builder.select(*args)

        return lanes(lane_mask, lanes, lanes), generate

    @intrinsic
    def any_lane(typing, mask):
        """Return whether the mask holds in any lane."""

        def generate(context, builder, sig, args):
            packed = builder.bitcast(args[0], ir.IntType(WIDTH))
            return builder.icmp_unsigned("!=", packed, ir.Constant(packed.type, 0))

        return types.boolean(lane_mask), generate
