import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './src/store/schema/events.ts',
    './src/store/schema/rollups.ts',
    './src/store/schema/ledger.ts',
    './src/store/schema/proposals.ts',
  ],
  out: './drizzle',
});
