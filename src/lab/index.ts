import type { LabCommand } from './lab-command.ts';

/**
 * The commands of `hive lab`, a line each, loaded when asked for. `hive lab --help` loads them all,
 * so a heavy package is imported inside `run`: the start must stay within 250 ms.
 */
export const labCommands: Readonly<Record<string, () => Promise<LabCommand>>> = {
  detect: async () => (await import('./detect.ts')).detect,
  changepoints: async () => (await import('./changepoints.ts')).changepoints,
  canary: async () => (await import('./canary.ts')).canary,
  ope: async () => (await import('./ope.ts')).ope,
  route: async () => (await import('./route.ts')).route,
};
