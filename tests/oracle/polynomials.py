"""Thresholds, polynomials over scalars and in the exponent, Lagrange."""
from curve import Q, add, mul


def thresholds(n, t):
    """(f, q, q_em)."""
    f = min((n - 1) // 3, (n - t) // 2)
    return f, n - f, max(t, n // 2 + 1)


def evaluate(coefficients, x):
    out = 0
    for a in reversed(coefficients):
        out = (out * x + a) % Q
    return out


def evaluate_points(commitments, x):
    """Horner from the top; an intermediate infinity is a value."""
    out = None
    for c in reversed(commitments):
        out = add(mul(x, out), c)
    return out


def lagrange(indices, x=0):
    """{j: lambda_j(x)} over the set."""
    out = {}
    for j in indices:
        top = bottom = 1
        for k in indices:
            if k != j:
                top, bottom = top * (x - k) % Q, bottom * (j - k) % Q
        out[j] = top * pow(bottom, -1, Q) % Q
    return out


def interpolate(shares, x=0):
    weights = lagrange(list(shares), x)
    return sum(weights[j] * s for j, s in shares.items()) % Q


def interpolate_points(points, x=0):
    weights = lagrange(list(points), x)
    return add(*[mul(weights[j], p) for j, p in points.items()])
