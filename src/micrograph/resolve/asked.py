"""What a link asks for, as it was written."""

from dataclasses import dataclass, field

from micrograph.resolve.views import AskedView


@dataclass(frozen=True)
class Asked:
    """The parts of a link as they were written, "" where missing. `wrong` names the part that makes
    no sense."""

    model: str = ""
    node: str = ""
    unit: str = ""
    view: AskedView = field(default_factory=AskedView)
    wrong: str = ""
