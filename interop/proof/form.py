"""Refusing what has not the form it must have."""


class Refused(Exception):
    """What is not taken, and why."""


def need(truth, why):
    if not truth:
        raise Refused(why)


def is_bytes(value, length):
    return isinstance(value, bytes) and len(value) == length


def is_number(value, most):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
