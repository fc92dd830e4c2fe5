/** The contract of engines as tests on one device; contract-reporter.mjs tells how each of them ended. Called with the device. */
import { type DeviceName, openDevice } from '../../backend/engine/open.ts';
import { testContract } from '../unit/engine-contract/contract.ts';

/** As the contract's tests know devices that may lack float16. */
const titles: Readonly<Record<string, string>> = { webgpu: 'WebGPU' };

const device = process.argv[2] as DeviceName;
testContract(titles[device] ?? device, () => openDevice(device, 1));
