import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createClock, systemTime } from '../../../src/core/clock.ts';
import { silentLog } from '../../../src/core/log.ts';
import { createMetrics } from '../../../src/core/metrics.ts';
import { createEngineChild } from '../../../src/gateway/processes/engine-child.ts';
import { until } from '../../kit/until.ts';

const model = fileURLToPath(new URL('../../../models/echo.gguf', import.meta.url));
const spec = { model, adapters: {}, context_tokens: 512, slots: 1 };

test('an engine runs while a provider needs it, and its address follows its restarts', async () => {
  let ready = 0;
  const metrics = createMetrics();
  const slots = () => metrics.snapshot().hive_engine_slots?.map((one) => [one.labels, one.value]);
  const engine = createEngineChild({
    clock: createClock({ origin_ms: 0, scale: 1 }, systemTime),
    log: silentLog,
    metrics,
    onReady: () => {
      ready += 1;
    },
  });
  onTestFinished(() => engine.stop());
  await engine.follow({});
  expect(engine.url('local')).toBe('');
  expect(engine.report()).toBeNull();

  await engine.follow({ local: spec });
  await until(() => ready === 1, { what: 'the engine', deadline_ms: 20_000 });
  expect(engine.url('local')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/local\/v1$/);
  expect(engine.url('other')).toBe('');
  const models = await fetch(`${engine.url('local')}/models`);
  expect(await models.text()).toContain('echo');

  await until(() => slots(), { what: 'how busy the engine is' });
  expect(slots()).toContainEqual([['local', 'free'], 1]);

  const pid = engine.report()?.pid ?? 0;
  process.kill(pid, 'SIGKILL');
  await until(() => ready === 2, { what: 'the engine to be back', deadline_ms: 20_000 });
  expect(engine.url('local')).not.toBe('');
  expect(engine.report()?.restarts).toBe(1);

  await engine.follow({});
  expect(engine.url('local')).toBe('');
  expect(engine.report()).toBeNull();
  expect(slots()).toContainEqual([['local', 'free'], 0]);
}, 60_000);

test('an engine whose models change while the last one ends is one process', async () => {
  const engine = createEngineChild({
    clock: createClock({ origin_ms: 0, scale: 1 }, systemTime),
    log: silentLog,
    metrics: createMetrics(),
    onReady() {},
  });
  onTestFinished(() => engine.stop());
  const processes = () =>
    process.getActiveResourcesInfo().filter((one) => one === 'ProcessWrap').length;
  const others = processes();
  const withSlots = (slots: number) => ({ local: { ...spec, slots } });
  await engine.follow(withSlots(1));
  await Promise.all([engine.follow(withSlots(2)), engine.follow(withSlots(3))]);
  expect(processes() - others).toBe(1);
  await Promise.all([engine.follow(withSlots(4)), engine.stop()]);
  await until(() => processes() === others, { what: 'no engine to be left' });
  expect(engine.report()).toBeNull();
}, 60_000);
