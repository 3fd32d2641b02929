"""Writes slim_reference.npz: what TensorFlow itself computes with the networks of TF-slim.

Needs tensorflow, tf_slim and tf_keras (made with 2.21, 1.1 and 2.21; not in our environment) and
the folder `nets` of tensorflow/models, research/slim, in which `tf.contrib.slim` was replaced by
`tf_slim`; `tf_keras.legacy_tf_layers` has to stand for `tf_keras.src.legacy_tf_layers`:

    TF_USE_LEGACY_KERAS=1 PYTHONPATH=tests/networks/slim:path/to/research/slim \\
        python tests/networks/slim/make_reference.py
"""

import re
from pathlib import Path

import checkpoint
import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim
from nets import inception_v3, inception_v4, resnet_v2

tf.disable_v2_behavior()

NETS = {
    "inceptionv3_slim": (inception_v3.inception_v3, inception_v3.inception_v3_arg_scope, 299),
    "inceptionv4_slim": (inception_v4.inception_v4, inception_v4.inception_v4_arg_scope, 299),
    "resnetv2_50_slim": (resnet_v2.resnet_v2_50, resnet_v2.resnet_arg_scope, 224),
    "resnetv2_50_slim/odd": (resnet_v2.resnet_v2_50, resnet_v2.resnet_arg_scope, 189),
}
SHOWN = {"Relu", "AddV2", "Add", "add", "ConcatV2", "MaxPool", "AvgPool", "BiasAdd", "Mean"}


def run(network, scope, size: int) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, ...]]]:
    """A sample of every operation that gives a map or logits; names and shapes of the variables."""
    with tf.Graph().as_default() as graph, tf.Session() as session:
        images = tf.constant(checkpoint.picture(size))
        with slim.arg_scope(scope()):
            network(images, num_classes=1001, is_training=False)
        variables = {v.op.name: v for v in slim.get_model_variables()}
        shapes = {name: tuple(v.shape.as_list()) for name, v in variables.items()}
        for name, variable in variables.items():
            variable.load(checkpoint.value(name, shapes[name]), session)
        tensors = {
            op.outputs[0].name: op.outputs[0]
            for op in graph.get_operations()
            if op.type in SHOWN and not re.search("AuxLogits|Initializer|Regularizer", op.name)
        }
        values = session.run(tensors)
    samples = {re.sub("[/:]", "_", n): checkpoint.sample(v) for n, v in values.items()}
    return samples, shapes


def main() -> None:
    """Runs all networks and writes the file beside this one."""
    kept = {}
    for name, (network, scope, size) in NETS.items():
        values, shapes = run(network, scope, size)
        kept[f"{name}/operations"] = np.array(list(values))
        kept[f"{name}/values"] = np.stack(list(values.values()))
        kept[f"{name}/size"] = np.array(size)
        kept[f"{name}/variables"] = np.array([f"{n} {list(s)}" for n, s in shapes.items()])
        print(name, len(values), "operations,", len(shapes), "variables")
    np.savez_compressed(Path(__file__).parent / "slim_reference.npz", **kept)


if __name__ == "__main__":
    main()
