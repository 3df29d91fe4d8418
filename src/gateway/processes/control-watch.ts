import { sameJson } from '../../core/canonical.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { Control } from '../../core/state.ts';

export interface ControlWatch {
  /** The brake as last read. */
  control(): Control;
  close(): void;
}

export interface ControlWatchSpec {
  readonly first: Control;
  /** May throw: then what was last read stays in force. */
  read(): Control;
  onChange(control: Control): void;
  readonly log: Log;
  readonly every_ms?: number;
}

/**
 * Follows `DATA/control.json` by asking twice a second: a brake must not depend on a file watcher,
 * and the promise is to obey within one.
 */
export function watchControl(spec: ControlWatchSpec): ControlWatch {
  let control = spec.first;
  let complaint: string | null = null;

  const look = (): void => {
    try {
      const next = spec.read();
      complaint = null;
      if (sameJson(next, control)) return;
      control = next;
      spec.onChange(next);
    } catch (error) {
      const message = messageOf(error);
      if (message !== complaint) spec.log.error('control.json is not obeyed', { error: message });
      complaint = message;
    }
  };

  const timer = setInterval(look, spec.every_ms ?? 500);
  timer.unref();
  return { control: () => control, close: () => clearInterval(timer) };
}
