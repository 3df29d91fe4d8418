import { describe, expect, test } from 'vitest';
import { isAllowedAddress, isLoopbackAddress, isPrivateHost } from '../../src/core/network.ts';

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:4860:4860::8888',
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
  '3ffe::1',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '64:ff9b::8.8.8.8',
  '2002:808:808::1',
];

const PRIVATE = [
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.1',
  '100.100.100.200',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '::1',
  '0:0:0:0:0:0:0:1',
  'fc00::1',
  'fd00:ec2::254',
  'fdff:ffff::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.1.2.3',
  '::ffff:192.168.1.1',
  '0:0:0:0:0:ffff:a00:1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b::192.168.0.1',
  '2002:7f00:1::',
  '2002:a00:1::1',
  '2002:c0a8:101::1',
];

const NOBODY = [
  '0.0.0.0',
  '0.1.2.3',
  '169.254.0.1',
  '169.254.169.254',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '::',
  '::7f00:1',
  '::8.8.8.8',
  '::ffff:0:127.0.0.1',
  '::ffff:0.0.0.0',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::8.8.8.8',
  '2002:a9fe:a9fe::1',
  '2002:e000:1::1',
  '100::1',
  '2001::1',
  '2001:0:4136:e378::1',
  '2001:2::1',
  '2001:10::1',
  '2001:db8::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fe80::1',
  'fe80::1%eth0',
  '2606:4700::1%eth0',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'ff0e::1',
  '',
  'localhost',
  '127.1',
  '0x7f000001',
  '2130706433',
  '0177.0.0.1',
  '8.8.8.8 ',
  '[::1]',
];

describe('isAllowedAddress', () => {
  test.each(PUBLIC)('isAllowedAddress takes %s for the internet', (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(true);
    expect(isAllowedAddress(address, 'private')).toBe(true);
  });

  test.each(PRIVATE)('isAllowedAddress takes %s for private', (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(false);
    expect(isAllowedAddress(address, 'private')).toBe(true);
  });

  test.each(NOBODY)('isAllowedAddress lets nobody dial %j', (address) => {
    expect(isAllowedAddress(address, 'public')).toBe(false);
    expect(isAllowedAddress(address, 'private')).toBe(false);
  });
});

describe('isPrivateHost', () => {
  test.each([
    'http://127.0.0.1:11434/v1',
    'http://localhost:8000',
    'http://LOCALHOST./v1',
    'http://gpu.localhost',
    'http://127.1/v1',
    'http://0x7f.0.0.1/v1',
    'http://2130706433/v1',
    'http://0177.0.0.1/v1',
    'http://[::1]:8000/v1',
    'http://[::ffff:10.0.0.1]/v1',
    'http://10.0.0.7/v1',
    'http://169.254.169.254/latest',
    'http://0.0.0.0:8000',
  ])('isPrivateHost sees by the URL alone that %s is not on the internet', (url) => {
    expect(isPrivateHost(new URL(url).hostname)).toBe(true);
  });

  test.each([
    'https://api.openai.com/v1',
    'https://localhost.test',
    'http://8.8.8.8',
    'http://gpu-1',
  ])('isPrivateHost cannot tell of %s before it is resolved', (url) => {
    expect(isPrivateHost(new URL(url).hostname)).toBe(false);
  });
});

test('isLoopbackAddress knows this machine in every form, and nobody else', () => {
  for (const here of ['127.0.0.1', '127.255.0.9', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) {
    expect([here, isLoopbackAddress(here)]).toEqual([here, true]);
  }
  const others = ['128.0.0.1', '10.0.0.1', '::', '::2', 'fe80::1%lo', '::ffff:10.0.0.1'];
  for (const other of [...others, 'localhost', '127.0.0.1.example', '127.1', '']) {
    expect([other, isLoopbackAddress(other)]).toEqual([other, false]);
  }
});
