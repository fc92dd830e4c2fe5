"""Prints what TensorBoard's own reader finds in an event folder, as JSON. Usage: tensorboard_read.py FOLDER"""
import json
import sys

from tensorboard.backend.event_processing import event_accumulator

every = {name: 0 for name in ("scalars", "images", "histograms", "compressedHistograms", "tensors")}
events = event_accumulator.EventAccumulator(sys.argv[1], size_guidance=every)
events.Reload()
tags = events.Tags()
tensors = {tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in events.Tensors(tag)] for tag in tags["tensors"]}


def histogram(value):
    return {
        "min": value.min,
        "max": value.max,
        "num": value.num,
        "sum": value.sum,
        "sumSquares": value.sum_squares,
        "bucketLimit": list(value.bucket_limit),
        "bucket": list(value.bucket),
    }


print(json.dumps({
    "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
    "images": {
        tag: [[e.step, e.width, e.height, e.encoded_image_string.hex()] for e in events.Images(tag)]
        for tag in tags["images"]
    },
    "histograms": {
        tag: [[e.step, histogram(e.histogram_value)] for e in events.Histograms(tag)] for tag in tags["histograms"]
    },
    "texts": tensors,
}))
