/**
 * What CUDA on Linux x64 takes: wheels of the Python package index, fixed by their hashes. ONNX Runtime's library comes with its
 * provider, of the version whose table the C API engine knows; the CUDA libraries are those of CUDA 13.0, the oldest that the
 * provider takes, so that the oldest drivers do.
 */
export interface Wheel {
  /** Of the index. */
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  /** For people, before anything is fetched. */
  readonly licence: string;
  /** Paths in it of what is used: libraries and licence texts. */
  readonly takes: RegExp;
}

const nvidia = 'NVIDIA CUDA Toolkit EULA (https://docs.nvidia.com/cuda/eula/)';
const ofNvidia = /^nvidia\/\w+\/lib\/lib[\w-]+\.so\.\d+(\.\d+)*$|\.dist-info\/(licenses\/)?License\.txt$/;

export const cudaWheels: readonly Wheel[] = [
  {
    name: 'onnxruntime-gpu',
    version: '1.30.0',
    file: 'onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl',
    bytes: 246685715,
    sha256: '6acc0f4b3d5ac5f2984432faa59dd8fcce6775f8b43a7140afa0f322c7a703b1',
    licence: 'MIT',
    takes:
      /^onnxruntime\/(capi\/libonnxruntime(_providers_(cuda|shared))?\.so(\.[\d.]+)?|LICENSE|ThirdPartyNotices\.txt)$/,
  },
  {
    name: 'nvidia-cuda-runtime',
    version: '13.0.96',
    file: 'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    bytes: 2243632,
    sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
    licence: nvidia,
    takes: ofNvidia,
  },
  {
    name: 'nvidia-cublas',
    version: '13.1.0.3',
    file: 'nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl',
    bytes: 423133236,
    sha256: 'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
    licence: nvidia,
    takes: ofNvidia,
  },
  {
    name: 'nvidia-curand',
    version: '10.4.0.35',
    file: 'nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl',
    bytes: 59544258,
    sha256: '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
    licence: nvidia,
    takes: ofNvidia,
  },
  // Loaded by cuBLAS and cuDNN for kernels that they compile while they run.
  {
    name: 'nvidia-cuda-nvrtc',
    version: '13.0.88',
    file: 'nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    bytes: 90215200,
    sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
    licence: nvidia,
    takes: ofNvidia,
  },
  // Convolutions. cuFFT, which the provider also knows, is left out: no graph of ours has a Fourier transform.
  {
    name: 'nvidia-cudnn-cu13',
    version: '9.20.0.48',
    file: 'nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl',
    bytes: 366173588,
    sha256: '0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304',
    licence: 'NVIDIA cuDNN SLA (https://docs.nvidia.com/deeplearning/cudnn/latest/reference/eula.html)',
    takes: ofNvidia,
  },
];
