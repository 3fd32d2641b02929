"""How long work tells of itself."""

from collections.abc import Callable

StepHook = Callable[[int, int], None]
"""Called after each step with (step from 1, steps in all); may raise to stop."""
