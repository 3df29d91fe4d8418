import { describe, expect, test } from 'vitest';
import { TurnEnd } from '../../../src/gateway/clock/turn-end.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Each look at the time finds it so much later. */
function slowly(step_ms: number): TurnEnd {
  let now_ms = 0;
  return new TurnEnd(() => {
    now_ms += step_ms;
    return now_ms;
  });
}

describe('TurnEnd', () => {
  test('a turn ends with what somebody waits for, then the rest, then the shares', async () => {
    const turn = slowly(0);
    const done: string[] = [];
    turn.share(() => done.push('share'));
    turn.afterwards(() => done.push('rest'));
    turn.write(() => done.push('write'));
    expect(done).toEqual([]);
    await nextTurn();
    expect(done).toEqual(['write', 'rest', 'share']);
  });

  test('a turn gives shares in order, as many as there is time for, one at least', async () => {
    for (const [step_ms, a_turn] of [
      [2, 3],
      [100, 1],
    ] as const) {
      const turn = slowly(step_ms);
      const done: number[] = [];
      for (let one = 0; one < 5; one += 1) turn.share(() => done.push(one));
      await nextTurn();
      expect(done).toEqual([0, 1, 2, 3, 4].slice(0, a_turn));
      await nextTurn();
      expect(done).toEqual([0, 1, 2, 3, 4].slice(0, 2 * a_turn));
    }
  });

  test('a turn lets nobody in before who waits already, and writes before either', async () => {
    const turn = slowly(100);
    const done: string[] = [];
    const greedy = (): void => {
      done.push('greedy');
      turn.share(greedy);
      turn.write(() => done.push('write'));
    };
    turn.share(greedy);
    turn.share(() => done.push('other'));
    for (let turns = 0; turns < 3; turns += 1) await nextTurn();
    expect(done).toEqual(['greedy', 'write', 'other', 'greedy']);
  });

  test('a turn has a number of its own once something was put off to its end', async () => {
    const turn = slowly(0);
    const { number } = turn;
    await nextTurn();
    expect(turn.number).toBe(number);
    turn.write(() => {});
    await nextTurn();
    expect(turn.number).not.toBe(number);
  });
});
