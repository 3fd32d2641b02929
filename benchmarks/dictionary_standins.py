"""Inert stand-ins for what the dictionary libraries import besides, and do not use to encode.

Their own packages of networks, data and plots would be gigabytes. What is imported from these names is
an empty class; the two small base classes of transformer_lens are the real ones.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types

EMPTY = {
    "accelerate", "babe", "circuitsvis", "cv2", "datasets", "matplotlib", "mamba_lens", "nltk",
    "nnsight", "pandas", "plotly", "plotly_express", "schedulefree", "skimage", "timm", "torchvision",
    "transformers", "umap", "wandb", "sklearn", "scipy", "altair", "marimo", "polars", "submitit",
}

PARTS = ("overcomplete.visualization", "overcomplete.models", "transformer_lens.Hooked", "transformer_lens.util", "transformer_lens.components", "transformer_lens.loading", "transformer_lens.pretrained", "transformer_lens.Act")


class _Empty(types.ModuleType):
    __path__: list[str] = []

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
    package = _Empty("transformer_lens")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["transformer_lens"] = package
    hooks = importlib.import_module("transformer_lens.hook_points")
    importlib.import_module("transformer_lens.HookedTransformer").HookedRootModule = hooks.HookedRootModule
