"""Numbers as pages write them."""


def number(value: float) -> str:
    """With thin spaces between thousands: 6 998 552."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def score(value: float) -> str:
    """An activation with three or four figures and a real minus sign."""
    size = abs(value)
    text = f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
    return text.replace("-", "\N{MINUS SIGN}")
