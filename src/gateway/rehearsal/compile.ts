import { compileSnapshot } from '../../config/compile.ts';
import { createHostFactory } from '../../config/hosts.ts';
import type { LoadedPolicy, Snapshot } from '../../config/snapshot.ts';
import type { Clock } from '../../core/clock.ts';
import type { PluginRegistry } from '../../core/plugin.ts';
import type { ProviderRegistry } from '../../core/provider.ts';
import { EMPTY_CONTROL, EMPTY_STATE } from '../../core/state.ts';
import { rehearsalPolicy } from './policy.ts';

export interface CompileDeps {
  readonly clock: Clock;
  readonly plugins: PluginRegistry;
  readonly providers: ProviderRegistry;
}

/** Compiled apart, hosts included: no plugin of a rehearsal shares anything with one of a call. */
export function compileRehearsal(deps: CompileDeps, loaded: LoadedPolicy): Snapshot {
  const { clock, plugins, providers } = deps;
  return compileSnapshot({
    loaded: rehearsalPolicy(loaded),
    state: EMPTY_STATE,
    control: EMPTY_CONTROL,
    environment: { secret: () => 'none' },
    plugins,
    providers,
    host: createHostFactory({ clock, engineUrl: () => '' }),
  });
}
