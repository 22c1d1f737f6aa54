import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
);

/** A machine of the gate has it; elsewhere the tests are skipped by name. */
export const hasBrowser = executablePath !== undefined || process.env.CI !== undefined;

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

/** Far above what a page takes on a machine that is busy. */
const timeoutMs = 20_000;

export interface Visit {
  readonly page: Page;
  /** Errors of the console and of scripts, and what the page's policy refused. */
  readonly problems: string[];
  /** Addresses that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  context.setDefaultTimeout(timeoutMs);
  const page = await context.newPage();
  const problems: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => asked.push(request.url()));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective}`));
  });
  await page.goto(url);
  return { page, problems, asked, close: () => context.close() };
}

/** Where `EDGESPAN_SCREENSHOTS` names a folder, for people to look at. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.EDGESPAN_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Pixels that the page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

/**
 * Texts whose contrast with what is behind them is below 4.5 : 1, by https://www.w3.org/TR/WCAG21/#contrast-minimum.
 */
export function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    function toRgba(color: string): number[] {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    }
    function luminance(rgb: number[]): number {
      const [r, g, b] = rgb.map((value) => {
        const share = value / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    }
    function behind(element: Element | null): number[] {
      for (let at = element; at; at = at.parentElement) {
        const color = toRgba(getComputedStyle(at).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255, 255];
    }
    const faint = new Set<string>();
    for (const element of document.querySelectorAll('body *')) {
      const text = [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent?.trim());
      if (text.length === 0 || element.getClientRects().length === 0 || (element as HTMLButtonElement).disabled)
        continue;
      const [front, back] = [toRgba(getComputedStyle(element).color), behind(element)].map((rgba) =>
        luminance(rgba.slice(0, 3)),
      );
      const ratio = (Math.max(front!, back!) + 0.05) / (Math.min(front!, back!) + 0.05);
      if (ratio < 4.5) faint.add(`${element.className} ${text[0]!.textContent} ${ratio.toFixed(2)}`);
    }
    return [...faint];
  });
}
