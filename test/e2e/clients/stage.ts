import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { actor, REFUSAL, WORDS } from '../../kit/actor.ts';
import type { Behaviour } from '../../kit/behaviours.ts';
import { type Product, REPO, startProduct } from '../../kit/product.ts';
import { until } from '../../kit/until.ts';
import { startUpstream, type Upstream } from '../../kit/upstream.ts';

/** The product before an actor of each dialect: where clients play their scenes. */
export interface Stage {
  readonly product: Product;
  readonly upstream: Upstream;
  close(): Promise<void>;
}

const CLIENTS = join(REPO, 'test/e2e/clients');
export const INSTALL = 'npm run test:clients installs them';

/** The targets that a client's `model` names: each dialect is asked natively and by translation. */
export const OPENAI_TARGET = 'from-openai';
export const ANTHROPIC_TARGET = 'from-anthropic';

const POLICY = `version: 1
providers:
  oa: { use: openai, base_url: "\${ACTOR_URL}", api_key: "\${ACTOR_KEY}", network: private }
  an: { use: anthropic, base_url: "\${ACTOR_URL}", api_key: "\${ACTOR_KEY}", network: private }
targets:
  ${OPENAI_TARGET}: { provider: oa, model: actor }
  ${ANTHROPIC_TARGET}: { provider: an, model: actor }
agents:
  default: { targets: [${OPENAI_TARGET}] }
  claude: { targets: [${ANTHROPIC_TARGET}] }
plugins:
  - use: prompt-patcher
  - use: lora-hotplug
  - use: model-router
`;

/** `settings`: more of the policy. */
export async function openStage(plays: Behaviour = actor(), settings = ''): Promise<Stage> {
  const upstream = await startUpstream(plays);
  const product = await startProduct({
    policies: { 'gateway.yaml': POLICY + settings, 'oracle_policies.yaml': 'version: 1\n' },
    env: { ACTOR_URL: upstream.url, ACTOR_KEY: 'sk-actor' },
  });
  return {
    product,
    upstream,
    async close() {
      await product.stop();
      await upstream.close();
    },
  };
}

/** A program, its arguments, and the target that it names as its model. */
export interface Role {
  readonly command: string;
  readonly args: readonly string[];
  readonly target: string;
  /** What it makes of a stream's usage, where that is not all of it. */
  readonly streamed_tokens?: number;
}

export interface Scenes {
  readonly whole: { readonly text: string; readonly tokens: number };
  readonly streamed: { readonly text: string; readonly pieces: number; readonly tokens: number };
  readonly tools: { readonly text: string };
  readonly error: { readonly status: number; readonly message: string };
  readonly abort: { readonly text: string };
}

/** Runs a program; its scenes are what it printed. */
export async function playScenes<Played = Scenes>({ product }: Stage, role: Role): Promise<Played> {
  const { PATH, HOME, TMPDIR } = process.env;
  const { stdout } = await promisify(execFile)(role.command, [...role.args], {
    cwd: CLIENTS,
    env: { PATH, HOME, TMPDIR, HIVE_URL: product.gateway_url, HIVE_MODEL: role.target },
    timeout: 25_000,
  });
  return JSON.parse(stdout) as Played;
}

/** A program of this folder, on this Node. */
export function roleOf(program: string, target: string, ...args: readonly string[]): Role {
  const file = join(CLIENTS, 'programs', `${program}.mjs`);
  return { command: process.execPath, args: [file, ...args], target };
}

/** A program of the fixtures, on the Python that was installed with its clients. */
export function pythonRole(file: string, target: string): Role {
  const args = [join(REPO, 'test/fixtures/python', file)];
  return { command: join(CLIENTS, PYTHON), args, target };
}

const PYTHON = 'venv/bin/python';

/** Whether the heavy clients have been installed: `present`, or how to come by them. */
export function frameworks(): string {
  return existsSync(join(CLIENTS, 'node_modules/ai')) ? 'present' : INSTALL;
}

export function python(): string {
  return existsSync(join(CLIENTS, PYTHON)) ? 'present' : INSTALL;
}

/** What every client must have made of the five scenes. */
export async function expectScenes(stage: Stage, role: Role): Promise<void> {
  const hung = stage.upstream.requests.length;
  const played = await playScenes(stage, role);
  const text = WORDS.join('');
  expect(played).toEqual({
    whole: { text, tokens: 16 },
    streamed: { text, pieces: WORDS.length, tokens: role.streamed_tokens ?? 16 },
    tools: { text: '21 degrees' },
    error: { status: 400, message: expect.stringContaining(REFUSAL) },
    abort: { text: WORDS[0] },
  });
  const hanging = () => stage.upstream.requests.slice(hung).find(({ raw }) => raw.includes('hang'));
  await until(() => hanging()?.aborted, { deadline_ms: 1000, what: 'the abort to go through' });
}
