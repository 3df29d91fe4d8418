import { describe, expect, test } from 'vitest';
import { startProduct } from './product.ts';

// That it starts, is killed, starts again and stops is what the end-to-end tests stand on.
describe('startProduct', () => {
  test('startProduct fails at once with the product’s words where it does not start', async () => {
    const policies = { 'gateway.yaml': 'version: 1\nprovidres: {}\n' };
    await expect(startProduct({ policies })).rejects.toThrow(
      /ended at its start \(code 1\)[\s\S]*gateway\.yaml:2:1 [\s\S]*providers/,
    );
  });
});
