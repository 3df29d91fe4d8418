import { silentLog } from '../../src/core/log.ts';
import { createMetrics } from '../../src/core/metrics.ts';
import { openJournal } from '../../src/events/journal.ts';
import { feedbackEvent, NOON_MS } from '../kit/events.ts';

/** The process that the crash test kills: journals feedback and says what was acknowledged. */
const [dir = '', boot = ''] = process.argv.slice(2);
const bus = await openJournal({
  dir,
  writer: `g0-${boot}`,
  waiting_max: 1000,
  segment_bytes_max: 64 * 1024,
  policy_ms: () => NOON_MS,
  metrics: createMetrics(),
  log: silentLog,
});

async function rate(lane: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const id = `fb_${boot}_${lane}_${n}.rating`;
    // Each rater speaks once, so that every event counts.
    await bus.acknowledge([feedbackEvent(id, { rater: id, agent: 'default' })]);
    process.send?.(id);
  }
}

process.once('disconnect', () => process.exit(0));
await Promise.all(Array.from({ length: 20 }, (_, lane) => rate(lane)));
