import { join } from 'node:path';
import { REPO } from '../test/kit/product.ts';

/** The shipped policies with one target, the mock upstream; the engine runs beside it, idle. */
export function benchPolicies(
  upstream: string,
  { engine }: { readonly engine: boolean },
): Readonly<Record<string, string>> {
  const model = (name: string): string => JSON.stringify(join(REPO, 'models', `${name}.gguf`));
  const local = `  local:
    use: embedded
    model: ${model('echo')}
    adapters: { upper: ${model('upper')}, reverse: ${model('reverse')} }
`;
  const gateway = `version: 1
providers:
  mock: { use: openai, network: private, base_url: ${upstream} }
${engine ? local : ''}targets:
  mock: { provider: mock, model: mock-1 }
${engine ? '  demo: { provider: local, fallback_only: true }\n' : ''}agents:
  default: { targets: [mock${engine ? ', demo' : ''}] }
plugins:
  - { use: prompt-patcher }
  - { use: lora-hotplug }
  - { use: model-router }
`;
  return {
    'gateway.yaml': gateway,
    'oracle_policies.yaml': 'version: 1\n',
    'pipeline.yaml': 'version: 1\n',
  };
}
