"""Records test/golden/numpy: .npz files as NumPy writes them, and hostile or unusual ones.

    python test/golden/record/numpy_files.py          (needs numpy)
"""
import io
import zipfile
from pathlib import Path

import numpy as np

out = Path(__file__).parents[1] / "numpy"
out.mkdir(exist_ok=True)
mu = np.arange(3, dtype=np.float64) / 4
sigma = np.array([[2, 0.5, 0], [0.5, 3, -0.25], [0, -0.25, 1]])
np.savez(out / "stored.npz", mu=mu, sigma=sigma)
np.savez_compressed(out / "deflated.npz", mu=mu.astype(np.float32), sigma=sigma, other=np.array(["text"]))
kinds = {dtype: np.array([[1, 0, 3]], dtype=dtype) for dtype in "f8 f4 f2 i8 i4 i2 i1 u8 u4 u2 u1 ?".split()}
np.savez(out / "dtypes.npz", **{f"d{i}": array for i, array in enumerate(kinds.values())}, scalar=np.float64(2.5))
grid = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
np.savez(out / "order.npz", columns=np.asfortranarray(grid), rows=grid, none=np.zeros((0, 3)))
np.savez(out / "objects.npz", mu=np.array([{"a": 1}, None], dtype=object), sigma=sigma)
np.savez(out / "records.npz", mu=np.zeros(2, dtype=[("x", "<f8")]), sigma=sigma)
np.savez(out / "big-endian.npz", mu=mu.astype(">f8"), sigma=sigma)
# Version 2.0 of the header.
with zipfile.ZipFile(out / "version2.npz", "w") as archive:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, mu, version=(2, 0))
    archive.writestr("mu.npy", stream.getvalue())
