"""Lets the libraries of dictionaries be imported without all that they import besides.

To encode they need torch alone; their networks, data sets and plots would be gigabytes. What is
imported of these is an empty class. The base classes of transformer_lens are the real ones.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

EMPTY = {
    "accelerate",
    "altair",
    "babe",
    "circuitsvis",
    "cv2",
    "datasets",
    "marimo",
    "matplotlib",
    "mamba_lens",
    "nltk",
    "nnsight",
    "pandas",
    "plotly",
    "plotly_express",
    "polars",
    "schedulefree",
    "scipy",
    "skimage",
    "sklearn",
    "submitit",
    "timm",
    "torchvision",
    "transformers",
    "umap",
    "wandb",
}
PARTS = (
    "overcomplete.models",
    "overcomplete.visualization",
    "transformer_lens.Act",
    "transformer_lens.Hooked",
    "transformer_lens.components",
    "transformer_lens.loading",
    "transformer_lens.pretrained",
    "transformer_lens.util",
)
"""Modules of packages that are real otherwise."""


class _Empty(types.ModuleType):
    def __init__(self, name):
        super().__init__(name)
        self.__path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__class_getitem__": classmethod(lambda cls, item: cls)})
        setattr(self, name, made)
        return made


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in EMPTY or name.startswith(PARTS):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Empty(spec.name)

    def exec_module(self, module):
        pass


def put() -> None:
    """From now on they are what is imported."""
    sys.meta_path.insert(0, _Finder())
    found = importlib.util.find_spec("transformer_lens")
    assert found is not None
    assert found.submodule_search_locations is not None
    package = _Empty("transformer_lens")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["transformer_lens"] = package
    hooks = importlib.import_module("transformer_lens.hook_points")
    whole = importlib.import_module("transformer_lens.HookedTransformer")
    whole.HookedRootModule = hooks.HookedRootModule
