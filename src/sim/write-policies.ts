import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { worldFiles } from './policy-files.ts';
import type { Scenario } from './scenario.ts';

/** Writes a world's policy files, so that a gateway can be started on them. Returns their paths. */
export function writePolicies(
  scenario: Scenario,
  dir: string,
  upstream_url: string,
): readonly string[] {
  return Object.entries(worldFiles(scenario, upstream_url)).map(([name, data]) => {
    const path = join(dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, stringify(data));
    return path;
  });
}
