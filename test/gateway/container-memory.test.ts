import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { containerLimit, containerShare } from '../../src/gateway/container-memory.ts';

/** A system's files, written by the test. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'container-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const MIB = 1024 * 1024;
const write = (file: string, text: string) => {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
};
const own = (mib: number) =>
  write('proc/status', `Name:\tnode\nVmRSS:\t999999 kB\nRssAnon:\t  ${mib * 1024} kB\n`);
const share = (gateways = 1) =>
  containerShare({
    limit_bytes: 512 * MIB,
    gateways,
    proc: join(root, 'proc'),
    groups: join(root, 'groups'),
  })();

const VERSIONS = {
  'version 2': { cgroup: '0::/kube/pod\n', stat: 'groups/kube/pod/memory.stat', name: 'anon' },
  'version 2, its group as the root': {
    cgroup: '0::/\n',
    stat: 'groups/memory.stat',
    name: 'anon',
  },
  'version 1': {
    cgroup: '5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n',
    stat: 'groups/memory/docker/x/memory.stat',
    name: 'total_rss',
  },
  'version 1, its group as the root': {
    cgroup: '4:memory:/docker/x\n',
    stat: 'groups/memory/memory.stat',
    name: 'total_rss',
  },
} as const;
const NAMES = Object.keys(VERSIONS) as (keyof typeof VERSIONS)[];
/** All of the group's memory, caches of files beside it. */
const all = (mib: number, version: keyof typeof VERSIONS = 'version 2') => {
  const { cgroup, stat, name } = VERSIONS[version];
  write('proc/cgroup', cgroup);
  write(stat, `file 400000000\n${name} ${mib * MIB}\ninactive_file 300000000\n`);
};

test.each(NAMES)('containerShare reads what %s tells', (version) => {
  own(240);
  all(240 + 112, version);
  expect(share()).toBeCloseTo(240 / 400);
});

test('containerShare leaves out what others in the container take, up to half of it', () => {
  own(250);
  all(250);
  expect(share()).toBeCloseTo(250 / 512);
  all(250 + 200);
  expect(share()).toBeCloseTo(250 / 312);
  all(250 + 262);
  expect(share()).toBeCloseTo(250 / 256);
  // Somebody's leak is no reason to refuse calls before that.
  all(250 + 10_000);
  expect(share()).toBeCloseTo(250 / 256);
});

test('containerShare lets several gateways fill the container together', () => {
  own(120);
  all(4 * 120);
  expect(share(4)).toBeCloseTo(120 / (512 - 360));
  all(4 * 120 + 10_000);
  expect(share(4)).toBeCloseTo(120 / 64);
});

test('containerShare of a process that takes little asks no further', () => {
  own(100);
  all(10_000);
  expect(share()).toBeCloseTo(100 / 512);
});

test('containerShare is its own share where nothing tells of the container, else none', () => {
  expect(share()).toBe(0);
  own(300);
  expect(share()).toBeCloseTo(300 / 512);
  write('proc/cgroup', '0::/gone\n');
  expect(share()).toBeCloseTo(300 / 512);
  write('groups/memory.stat', 'nothing of use\n');
  expect(share()).toBeCloseTo(300 / 512);
});

test('containerLimit is less than the machine has, or null', () => {
  const limit = containerLimit();
  expect(limit === null || limit > 0).toBe(true);
});
