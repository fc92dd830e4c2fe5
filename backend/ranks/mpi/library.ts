/**
 * The MPI library of this machine, called through koffi: the few functions that ranks meet through. Two kinds of it exist, with
 * handles of their own: Open MPI's are addresses, MPICH's (and Intel's) fixed numbers.
 */
import type { LibraryHandle } from 'koffi';
import { type Koffi, loadKoffi } from '../../native/koffi.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Launched } from '../launched.ts';

/** MPI's types of numbers, by what a caller has. */
export type NumberKind = 'int' | 'float' | 'double';

/** A request under way. */
export interface Pending {
  /** Whether it is done. Throws MpiFailure. */
  test(): boolean;
}

export interface Mpi {
  /** What the library says it is, in a line. */
  readonly version: string;
  readonly rank: number;
  readonly size: number;
  /** Everything stays where it is until the request is done: `from` and `to` must be memory outside of V8's heap. */
  allReduce(from: NodeJS.TypedArray, to: NodeJS.TypedArray, kind: NumberKind, operation: 'sum' | 'max'): Pending;
  broadcast(values: NodeJS.TypedArray, kind: NumberKind): Pending;
  finalize(): void;
}

/** MPI said no: another rank is gone, or the network. */
export class MpiFailure extends Error {}

type Handle = unknown;

interface Handles {
  readonly world: Handle;
  readonly kinds: Readonly<Record<NumberKind, Handle>>;
  readonly sum: Handle;
  readonly max: Handle;
  readonly errorsReturn: Handle;
  /** How C declares one. */
  readonly type: 'void *' | 'int';
  /** For whoever does not ask how a request went. */
  readonly ignoreStatus: unknown;
}

const libraries = {
  'Open MPI': ['libmpi.so.40', 'libmpi.so', 'libmpi.40.dylib', 'libmpi.dylib'],
  MPICH: [
    'libmpich.so.12',
    'libmpi.so.12',
    'libmpi.so',
    'libmpich.12.dylib',
    'libmpi.12.dylib',
    'impi.dll',
    'msmpi.dll',
  ],
} as const;

const packages = { 'Open MPI': 'openmpi-bin and libopenmpi3', MPICH: 'mpich and libmpich12' } as const;

/** MPI_THREAD_FUNNELED: only the thread that begins calls. */
const funneled = 1;
const longestVersion = 8192;

/** Joins the ranks; call it once, in the thread that makes all calls. Throws UserError('device'). */
export async function openMpi(launcher: Launched['launcher']): Promise<Mpi> {
  const koffi = koffiForMpi();
  const named = process.env.DMD_MPI_LIBRARY;
  const tried: string[] = [];
  for (const name of named ? [named] : libraries[launcher]) {
    let library: LibraryHandle;
    try {
      library = koffi.load(name, { global: true });
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    return begin(library, handlesOf(library));
  }
  const hint = `Install it (on Debian ${packages[launcher]}), or name it in DMD_MPI_LIBRARY.`;
  throw new UserError(
    'device',
    `${launcher} started this process, but its library is not here: ${tried.join('; ')}`,
    hint,
  );
}

function koffiForMpi(): Koffi {
  try {
    return loadKoffi();
  } catch (cause) {
    const hint = 'Install the packages again (npm ci) and start dmd from there; the editor has it on Linux and macOS.';
    throw new UserError('device', 'the package koffi, which calls MPI, cannot be loaded', hint, { cause });
  }
}

function handlesOf(library: LibraryHandle): Handles {
  const symbol = (name: string): Handle => library.symbol(name, 'void');
  try {
    return {
      world: symbol('ompi_mpi_comm_world'),
      kinds: {
        int: symbol('ompi_mpi_int'),
        float: symbol('ompi_mpi_float'),
        double: symbol('ompi_mpi_double'),
      },
      ...{ sum: symbol('ompi_mpi_op_sum'), max: symbol('ompi_mpi_op_max') },
      ...{ errorsReturn: symbol('ompi_mpi_errors_return'), type: 'void *', ignoreStatus: null },
    };
  } catch {
    // The numbers of the ABI that MPICH, Intel MPI and Cray MPI share.
    return {
      world: 0x44000000,
      kinds: { int: 0x4c000405, float: 0x4c00040a, double: 0x4c00080b },
      ...{ sum: 0x58000003, max: 0x58000001, errorsReturn: 0x54000001, type: 'int', ignoreStatus: 1n },
    };
  }
}

function begin(library: LibraryHandle, handles: Handles): Mpi {
  const { world, kinds, type, ignoreStatus } = handles;
  const call = (name: string, ...types: string[]) => {
    const native = library.func(name, 'int', types);
    return (...values: unknown[]) => {
      const code = native(...values) as number;
      if (code !== 0) throw new MpiFailure(`${name} failed (${code})`);
    };
  };
  const numbers = (count: number) => new Int32Array(new ArrayBuffer(4 * count));
  const initialized = numbers(1);
  call('MPI_Initialized', 'void *')(initialized);
  if (initialized[0])
    throw new UserError('device', 'MPI has begun in this process already', 'Start the program itself with mpirun.');
  const provided = numbers(1);
  call('MPI_Init_thread', 'void *', 'void *', 'int', 'void *')(null, null, funneled, provided);
  if (provided[0]! < funneled) {
    const hint = 'Install an MPI that was built with thread support, such as the one of your distribution.';
    throw new UserError('device', 'this MPI library cannot be called from a thread (no MPI_THREAD_FUNNELED)', hint);
  }
  call('MPI_Comm_set_errhandler', type, type)(world, handles.errorsReturn);
  const one = numbers(1);
  const ask = (name: string) => {
    call(name, type, 'void *')(world, one);
    return one[0]!;
  };
  const reduce = call('MPI_Iallreduce', 'void *', 'void *', 'int', type, type, type, 'void *');
  const broadcast = call('MPI_Ibcast', 'void *', 'int', type, 'int', type, 'void *');
  const test = call('MPI_Test', 'void *', 'void *', 'void *');
  const flag = numbers(1);
  /** Keeps what the library reads and writes from being collected. */
  const pending = (request: BigUint64Array, ...kept: NodeJS.TypedArray[]): Pending => ({
    test() {
      test(request, flag, ignoreStatus);
      return flag[0] !== 0 && kept.length > 0;
    },
  });
  return {
    ...{ version: versionOf(library), rank: ask('MPI_Comm_rank'), size: ask('MPI_Comm_size') },
    allReduce(from, to, kind, operation) {
      const request = new BigUint64Array(new ArrayBuffer(8));
      reduce(from, to, from.length, kinds[kind], handles[operation], world, request);
      return pending(request, from, to);
    },
    broadcast(values, kind) {
      const request = new BigUint64Array(new ArrayBuffer(8));
      broadcast(values, values.length, kinds[kind], 0, world, request);
      return pending(request, values);
    },
    finalize: () => call('MPI_Finalize')(),
  };
}

function versionOf(library: LibraryHandle): string {
  const text = Buffer.from(new ArrayBuffer(longestVersion));
  const length = new Int32Array(new ArrayBuffer(4));
  library.func('MPI_Get_library_version', 'int', ['void *', 'void *'])(text, length);
  return text.toString('utf8', 0, length[0]!).split(/[\n,]/)[0]!.trim();
}
