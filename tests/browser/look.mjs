// Looks at pages in a real browser and tells what it saw, as JSON on standard output.
//
// Standard input: {"chromium": program, "looks": [{"page": file, "width": pixels, "scheme": "light"|"dark", "axe": bool,
// "open": bool, "keys": bool, "picture": file or null, "height": pixels or null}]}. `open` opens every fold; `keys` walks through the
// page with the tab key; `picture` is a PNG of the whole page, or of its first `height` pixels.
import { createRequire } from "node:module";
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const asked = JSON.parse(readFileSync(0, "utf8"));

const profile = mkdtempSync(join(tmpdir(), "sluice-browser-"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--font-render-hinting=none", "--hide-scrollbars"];

async function look(context, { page: file, width, scheme, axe: judge, open, keys, picture, height }) {
  const page = await context.newPage();
  const told = [], requests = [];
  page.on("console", (message) => told.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => told.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { told.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => requests.push(request.url()));
  await page.setViewportSize({ width, height: 900 });
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.goto(pathToFileURL(file).href);
  if (open) await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  const size = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
    wide: [...document.querySelectorAll("body *")].filter((node) => {
      const box = node.getBoundingClientRect();
      const held = node.closest(".scroll") || node.closest(".hidden, .skip");
      return box.width > 0 && !held && box.right > document.documentElement.clientWidth + 1;
    }).map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 40)}`).slice(0, 5),
    title: document.title,
    scripts: document.scripts.length,
    headings: [...document.querySelectorAll("h1, h2, h3")].map((node) => `${node.tagName} ${node.textContent}`),
  }));
  if (picture) {
    const clip = height ? { x: 0, y: 0, width, height } : undefined;
    await page.screenshot({ path: picture, fullPage: true, clip, animations: "disabled" });
  }
  const reached = [];
  for (let step = 0; keys && step < 200; step += 1) {
    await page.keyboard.press("Tab");
    const where = await page.evaluate(() => {
      const node = document.activeElement;
      return node === document.body ? null : node.getAttribute("href") || node.getAttribute("aria-label") || node.textContent;
    });
    if (where === null) break;
    reached.push(where);
  }
  let violations = [];
  if (judge) {
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    violations = result.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 120)}: ${node.failureSummary}`));
  }
  await page.close();
  return { ...size, told, requests, reached, violations };
}

try {
  const context = await chromium.launchPersistentContext(profile, { executablePath: asked.chromium, headless: true, args: flags, offline: false });
  const seen = [];
  for (const one of asked.looks) seen.push(await look(context, one));
  await context.close();
  process.stdout.write(JSON.stringify(seen));
} finally {
  rmSync(profile, { recursive: true, force: true });
}
