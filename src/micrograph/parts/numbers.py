"""Numbers as pages write them."""


def number(value: float) -> str:
    """With thin spaces between thousands: 6 998 552."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def score(value: float) -> str:
    """An activation with three or four figures and a real minus sign."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
