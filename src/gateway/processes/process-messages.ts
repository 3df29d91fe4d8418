import type { GatewayReport, ToGateway, ToWorker } from '../../core/state.ts';

/**
 * What crosses between the parent and a gateway process, where there is more than one
 * (`--workers N`). Towards the process it is what the worker says, passed on, and whole values.
 */
export type ToGatewayProcess =
  | Extract<ToGateway, { kind: 'state' | 'permits' | 'feed' }>
  /** Base URLs of the embedded engine, by provider; empty while it is not up. */
  | { readonly kind: 'engines'; readonly urls: Readonly<Record<string, string>> }
  | ResponseMade
  /** It knows all that is known: it may take calls. */
  | { readonly kind: 'serve' }
  | { readonly kind: 'banner'; readonly admin_port: number | null }
  /** Another process has taken its place: it ends once its calls have. */
  | { readonly kind: 'handed-over' };

/** One process has made a response: any other may be asked for it. */
export interface ResponseMade {
  readonly kind: 'response';
  readonly id: string;
  readonly owner: {
    readonly tenant: string;
    readonly agent: string;
    readonly served: string | null;
    readonly unpaid?: string;
  };
}

export type FromGatewayProcess =
  /** It is made, and waits to be told what is known. */
  | { readonly kind: 'assembled' }
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'hint' }
  | ResponseMade
  | Extract<ToWorker, { kind: 'sample' }>
  | { readonly kind: 'report'; readonly report: GatewayReport };
