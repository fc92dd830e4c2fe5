/** A distilled generator of EDM's kind as a file that says how it is called. */
import path from 'node:path';
import { writeModel } from '../../models/write-model.ts';
import type { DistillTeacher } from './teacher.ts';

/** `DistillTeacher.writeStudent`. @param network the student's constructor arguments. @param sigma noise level that it is called at */
export const edmStudent =
  (network: object, teacherSha256: string, sigma: number): DistillTeacher['writeStudent'] =>
  async (folder, name, weights, step, half, { again, deterministic, boundary }) => {
    const file = path.join(folder, `${name}.safetensors`);
    const facts: Record<string, string> = {
      ...{ 'dmd.role': 'generator', 'dmd.step': String(step), 'dmd.teacher': teacherSha256 },
      'dmd.generatorSigma': String(sigma),
      ...(again.length > 0 ? { 'dmd.again': JSON.stringify(again) } : {}),
      ...(again.length > 0 && deterministic ? { 'dmd.noise': 'found' } : {}),
      ...(boundary === null ? {} : { 'dmd.boundary': String(boundary) }),
    };
    await writeModel(file, network, weights, facts, half);
    return file;
  };
