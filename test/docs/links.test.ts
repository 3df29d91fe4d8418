import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const PAGES = globSync(['*.md', 'docs/**/*.md', 'bench/*.md']);

/** A page without its blocks of code, whose brackets are no links. */
function prose(path: string): string {
  return readFileSync(path, 'utf8').replace(/^```.*?^```/gms, '');
}

/** The anchors of its headings, as GitHub makes them. */
function anchors(path: string): readonly string[] {
  return [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function broken(page: string): readonly string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? page : join(dirname(page), file);
    if (!existsSync(path)) return true;
    return anchor !== undefined && path.endsWith('.md') && !anchors(path).includes(anchor);
  });
}

test('the docs are many pages, and links were found in them', () => {
  expect(PAGES.length).toBeGreaterThan(20);
  expect(anchors('docs/api.md')).toContain('the-gateway-8091');
  expect(prose('README.md')).toContain('](docs/api.md)');
});

test.each(PAGES)('each link of %s leads somewhere', (page) => {
  expect(broken(page)).toEqual([]);
});
