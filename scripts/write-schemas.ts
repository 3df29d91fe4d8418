import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policySchemas } from '../src/config/json-schema.ts';
import { policyReference } from '../src/config/reference.ts';

/** Writes what is generated from the policy schemas: for editors, and for people. */
const root = join(import.meta.dirname, '..');
for (const [name, schema] of Object.entries(policySchemas())) {
  writeFileSync(join(root, 'policies', name), `${JSON.stringify(schema, null, 2)}\n`);
}
writeFileSync(join(root, 'docs', 'policies.md'), policyReference());
