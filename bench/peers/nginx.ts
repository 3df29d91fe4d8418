import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendantsOf } from '../../test/kit/processes.ts';
import { until } from '../../test/kit/until.ts';
import { type Pinned, startPinned, untilAnswers } from './pinned.ts';

/** A running nginx: its workers' CPU and memory are what is counted. */
export interface Nginx {
  readonly workers: readonly number[];
  readonly start_ms: number;
  end(): Promise<void>;
}

/** As the upstream: the same answer at once, whatever is asked. */
export function staticServer(port: number, body: string): string {
  const quoted = body.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return `
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { default_type application/json; return 200 '${quoted}'; }
  }`;
}

/** As a gateway: what the product is compared with. Streams are not held back, as one must. */
export function proxyServer(port: number, upstream: number, { stream }: { stream: boolean }) {
  return `
  upstream up_${port} { server 127.0.0.1:${upstream}; keepalive 1024; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://up_${port};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_read_timeout 600s;
      ${stream ? 'proxy_buffering off;' : ''}
    }
  }`;
}

function configOf(dir: string, servers: readonly string[], workers: number): string {
  // As root nginx would hand its worker to a user who cannot reach the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off;
${user}
worker_processes ${workers};
worker_rlimit_nofile 65536;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log error;
events { worker_connections 32768; }
http {
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_buffer_size 128k;
  client_max_body_size 16m;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  tcp_nodelay on;
${servers.join('\n')}
}
`;
}

export async function startNginx(
  core: string,
  port: number,
  servers: readonly string[],
  workers = 1,
): Promise<Nginx> {
  const dir = mkdtempSync(join(tmpdir(), 'hive-nginx-'));
  mkdirSync(join(dir, 'logs'));
  const config = join(dir, 'nginx.conf');
  writeFileSync(config, configOf(dir, servers, workers));
  const args = ['-p', dir, '-c', config, '-e', join(dir, 'error.log')];
  const pinned: Pinned = startPinned({ name: 'nginx', core, program: 'nginx', args });
  const start_ms = await untilAnswers(pinned, `http://127.0.0.1:${port}/health`);
  const children = () => descendantsOf(pinned.pid).map(({ pid }) => pid);
  await until(() => children().length === workers, { what: 'nginx’s workers' });
  return {
    workers: children(),
    start_ms,
    async end() {
      await pinned.end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
