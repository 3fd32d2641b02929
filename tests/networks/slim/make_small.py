"""Writes written_by_slim/: a small Inception of TF-slim as checkpoint and as frozen graph.

Run like `make_reference.py`. Its network is SMALL in test_slim_import.py.
"""

from pathlib import Path

import checkpoint
import numpy as np
import tensorflow.compat.v1 as tf
import tf_slim as slim
from nets import inception_v3

tf.disable_v2_behavior()

FOLDER = Path(__file__).parent / "written_by_slim"


def network(net: tf.Tensor) -> tf.Tensor:
    """Logits of a stem, one block, and an auxiliary head that nobody needs."""
    with tf.variable_scope("InceptionV3"):
        net = slim.conv2d(net, 4, [3, 3], stride=2, padding="VALID", scope="Conv2d_1a_3x3")
        with tf.variable_scope("Mixed_5b"):
            with tf.variable_scope("Branch_0"):
                first = slim.max_pool2d(
                    net, [3, 3], stride=2, padding="VALID", scope="MaxPool_1a_3x3"
                )
            with tf.variable_scope("Branch_1"):
                second = slim.conv2d(net, 2, [1, 1], scope="Conv2d_0a_1x1")
                second = tf.concat(
                    axis=3,
                    values=[
                        slim.conv2d(second, 2, [1, 3], scope="Conv2d_0b_1x3"),
                        slim.conv2d(second, 3, [3, 1], scope="Conv2d_0b_3x1"),
                    ],
                )
                second = slim.conv2d(
                    second, 5, [3, 3], stride=2, padding="VALID", scope="Conv2d_1a_1x1"
                )
            net = tf.concat(axis=3, values=[first, second])
        with tf.variable_scope("AuxLogits"):
            slim.conv2d(net, 2, [1, 1], scope="Conv2d_1b_1x1")
        with tf.variable_scope("Logits"):
            net = tf.reduce_mean(net, [1, 2], keep_dims=True)
            plain = {"activation_fn": None, "normalizer_fn": None}
            net = slim.conv2d(net, 6, [1, 1], scope="Conv2d_1c_1x1", **plain)
            return tf.squeeze(net, [1, 2], name="SpatialSqueeze")


def main() -> None:
    """Checkpoint of version 2, graph, and logits of `checkpoint.picture(19)`."""
    FOLDER.mkdir(exist_ok=True)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        images = tf.placeholder(tf.float32, (1, 19, 19, 3), name="input")
        with (
            slim.arg_scope(inception_v3.inception_v3_arg_scope()),
            slim.arg_scope([slim.batch_norm], is_training=False),
        ):
            logits = network(images)
        tf.train.get_or_create_global_step()
        session.run(tf.global_variables_initializer())
        for variable in slim.get_model_variables():
            shape = tuple(variable.shape.as_list())
            variable.load(checkpoint.value(variable.op.name, shape), session)
        tf.train.Saver().save(session, str(FOLDER / "small.ckpt"), write_meta_graph=False)
        (FOLDER / "checkpoint").unlink()
        frozen = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), [logits.op.name]
        )
        (FOLDER / "small.pb").write_bytes(frozen.SerializeToString())
        found = session.run(logits, {images: checkpoint.picture(19)})
        np.save(FOLDER / "logits.npy", found)


if __name__ == "__main__":
    main()
