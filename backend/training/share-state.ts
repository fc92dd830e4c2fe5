/** The leader's state for every rank: its checkpoint lies where the leader reads it, and perhaps nobody else. */
import type { Ranks } from '../ranks/ranks.ts';
import type { StoredArrays } from '../weights/array-source.ts';
import type { StateArrays, Trainer } from './trainer.ts';

/** After it all ranks are at the leader's iteration, with its numbers. A meeting; the trainers are alike. */
export async function shareState(ranks: Ranks, trainer: Trainer): Promise<void> {
  if (ranks.size === 1) return;
  const step = Number(await ranks.tell(String(trainer.step)));
  if (step === 0) return; // all begin alike
  const own = await trainer.save();
  if (ranks.rank === 0) return send(ranks, own);
  const arriving = [...own].map(([network, arrays]) => [network, arrivingArrays(ranks, network, arrays)] as const);
  await trainer.restore(step, new Map(arriving));
}

async function send(ranks: Ranks, state: ReadonlyMap<string, StateArrays>): Promise<void> {
  for (const [network, arrays] of state) {
    for (const [name, source] of arrays) {
      let start = 0;
      for await (const slice of source.slices()) {
        await ranks.tell(placeOf(network, name, start, start + slice.length));
        await ranks.spread(slice);
        start += slice.length;
      }
    }
  }
}

/** In the order in which the leader reads its own. Throws where what is asked for is not what comes. */
function arrivingArrays(ranks: Ranks, network: string, own: StateArrays): StoredArrays {
  return {
    names: [...own.keys()],
    shape: (name) => own.get(name)?.shape,
    async read(name, start, end) {
      const place = await ranks.tell('');
      const wanted = placeOf(network, name, start, end);
      if (place !== wanted) throw new Error(`the leader sent ${place} where this rank takes ${wanted}`);
      const values = new Float32Array(end - start);
      await ranks.spread(values);
      return values;
    },
  };
}

const placeOf = (network: string, name: string, start: number, end: number) => `${network} ${name} ${start}..${end}`;
