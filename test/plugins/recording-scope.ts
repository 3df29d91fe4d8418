import { compileCondition } from '../../src/config/categories.ts';
import type { Call } from '../../src/core/call.ts';
import type { JsonObject } from '../../src/core/canonical.ts';
import type { AgentView, Drawn, PluginHost, Scope, TargetView } from '../../src/core/plugin.ts';
import { type PriceEntry, priceFrom } from '../../src/core/price.ts';
import type { LiveFigures } from '../../src/core/routing/live-figures.ts';
import { pickAt } from '../../src/core/unit.ts';

/** A scope that writes down what a plugin said, and picks at a given fraction. */
export interface RecordingScope extends Scope {
  readonly notes: string[];
  readonly marks: string[];
  readonly choices: {
    options: readonly string[];
    probabilities: readonly number[];
    excluded: readonly string[];
    drawn?: Drawn | undefined;
  }[];
}

export const pluginHost: PluginHost = {
  agent: 'a',
  condition: compileCondition,
  routes: () => null,
  keep: (_id, make) => make(),
  monotonic_ms: () => 0,
  policy_ms: () => 0,
};

export function recordingScope(
  agent: Partial<AgentView>,
  {
    fraction = 0,
    down = [],
    headers = {},
    in_flight = {},
    category = 'other',
    figures = {},
    prices = {},
  }: {
    fraction?: number;
    down?: readonly string[];
    headers?: Readonly<Record<string, string>>;
    in_flight?: Readonly<Record<string, number>>;
    category?: string;
    figures?: Readonly<Record<string, LiveFigures>>;
    prices?: Readonly<Record<string, PriceEntry>>;
  } = {},
): RecordingScope {
  const notes: string[] = [];
  const marks: string[] = [];
  const choices: RecordingScope['choices'] = [];
  return {
    notes,
    marks,
    choices,
    agent: {
      name: 'a',
      entry: { targets: {}, adapter: 'none', params: {}, plugins: {} },
      targets: [],
      prompt: null,
      lora_hotplug: true,
      ...agent,
    },
    header: (name) => headers[name] ?? null,
    healthy: (target) => !down.includes(target),
    category: () => category,
    figures: (target) => figures[target] ?? null,
    price: (target) => (prices[target] ? priceFrom(prices[target]) : null),
    inFlight: (target) => in_flight[target] ?? 0,
    choose(_name, options, probabilities, excluded = new Set(), drawn) {
      choices.push({ options, probabilities, excluded: [...excluded], drawn });
      const left = options
        .map((option, index) => ({ option, weight: probabilities[index] ?? 0 }))
        .filter(({ option }) => !excluded.has(option));
      if (left.length === 0) throw new Error('nothing to choose from');
      const picked =
        left[
          pickAt(
            fraction,
            left.map(({ weight }) => weight),
          )
        ];
      if (!picked) throw new Error('nothing was picked');
      return picked.option;
    },
    note: (subject, reason) => void notes.push(`${subject}: ${reason}`),
    mark: (marker) => void marks.push(marker),
  };
}

export function callOf(body: JsonObject, more: Partial<Call> = {}): Call {
  const raw = Buffer.from(JSON.stringify(body));
  return { endpoint: 'chat.completions', pinned: null, ...more, body, raw } as Call;
}

export function target(name: string, more: Partial<TargetView> = {}): TargetView {
  return { name, weight: 1, fallback_only: false, adapters: [], ...more };
}
