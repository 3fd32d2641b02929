import subprocess
import sys

import micrograph


def test_import_does_not_bring_torch() -> None:
    code = "import sys, micrograph; micrograph.register; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in micrograph.__all__:
        assert getattr(micrograph, name) is not None
