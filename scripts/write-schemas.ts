import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHostFactory } from '../src/config/hosts.ts';
import { policySchemas } from '../src/config/json-schema.ts';
import { pluginReference } from '../src/config/plugin-reference.ts';
import { policyReference } from '../src/config/reference.ts';
import { createClock } from '../src/core/clock.ts';
import { plugins } from '../src/plugins/index.ts';

/** Writes what is generated from the schemas of policies and plugins: for editors and people. */
const root = join(import.meta.dirname, '..');
for (const [name, schema] of Object.entries(policySchemas())) {
  writeFileSync(join(root, 'policies', name), `${JSON.stringify(schema, null, 2)}\n`);
}
writeFileSync(join(root, 'docs', 'policies.md'), policyReference());
const clock = createClock({ origin_ms: 0, scale: 1 });
const hosts = createHostFactory({ clock, engineUrl: () => '' });
const reference = pluginReference({
  plugins,
  host: (name) => hosts.pluginHost('docs', name),
  example: readFileSync(join(root, 'test/fixtures/plugins/token-cap.ts'), 'utf8'),
});
writeFileSync(join(root, 'docs', 'plugins.md'), reference);
