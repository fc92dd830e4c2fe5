/** Ranks that meet within this process: each works in a promise of its own, and all come to every meeting. */
import { describeError } from '../../../backend/files/describe-error.ts';
import { type Ranks, RanksFailed } from '../../../backend/ranks/ranks.ts';

/** What a rank brings to a meeting, and what it leaves with. */
type Say = { readonly call: string; readonly value: unknown; readonly failed?: string };

export function metRanks(size: number): Ranks[] {
  let round: { said: Say[]; done: Promise<Say[]>; open: (said: Say[]) => void } = nextRound();
  const meet = async (rank: number, say: Say): Promise<Say[]> => {
    const own = round;
    own.said[rank] = say;
    if (own.said.filter(Boolean).length === size) {
      round = nextRound();
      own.open(own.said);
    }
    const all = await own.done;
    const bad = all.findIndex(({ failed }) => failed !== undefined);
    if (bad >= 0 && say.failed === undefined) throw new RanksFailed(`rank ${bad} failed: ${all[bad]!.failed}`);
    const calls = new Set(all.map(({ call }) => call));
    if (calls.size > 1 && bad < 0) throw new Error(`one meeting, several calls: ${[...calls]}`);
    return all;
  };
  return Array.from({ length: size }, (_, rank) => {
    let over = false;
    const values = async <T>(call: string, value: T): Promise<T[]> =>
      (await meet(rank, { call, value })).map((say) => say.value as T);
    const ranks: Ranks = {
      ...{ rank, size, local: { rank, size } },
      agree: async (word) => Math.max(...(await values('agree', word))),
      async sum(own) {
        const all = await values('sum', own.slice());
        own.forEach((_, i) => {
          own[i] = all
            .slice(1)
            .reduce(
              (total, other) => (own.constructor === Float32Array ? Math.fround(total + other[i]!) : total + other[i]!),
              all[0]![i]!,
            );
        });
      },
      spread: async (own) => own.set((await values('spread', own.slice()))[0]!),
      tell: async (text) => (await values('tell', text))[0]!,
      gather: (text) => values('gather', text),
      async fail(error) {
        if (over || error instanceof RanksFailed) return;
        over = true;
        await meet(rank, { call: 'fail', value: 0, failed: describeError(error).message });
      },
      takeWaited: () => 0,
      hurry: () => {},
      close: async () => {},
    };
    return ranks;
  });
}

function nextRound() {
  let open: (said: Say[]) => void = () => {};
  const done = new Promise<Say[]>((resolve) => {
    open = resolve;
  });
  return { said: [] as Say[], done, open };
}
