/** Python that loads what the inspector saved: NumPy and the standard library, nothing to install. */

export function pythonFor(file: string): string {
  return `import json, struct
import numpy as np

with open(${JSON.stringify(file)}, "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data = f.read()
about = header.pop("__metadata__", {})
tensors = {
    name: np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"])
    for name, t in header.items()
}
for name, tensor in tensors.items():
    print(name, tensor.shape, float(tensor.mean()), float(tensor.std()))
`;
}
