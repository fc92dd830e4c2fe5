/** Which texts of a page a person cannot read whole, because the edge of a box that does not scroll cuts them. */
import type { FrameLocator } from 'playwright-core';

/** Runs in the page. Follows shadow trees; what is hidden, or there for screen readers alone, is not seen by anyone. */
const find = `(() => {
  const cut = [];
  const parentOf = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
  const look = (text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    const seen = range.getBoundingClientRect();
    if (seen.width < 2 || seen.height < 2 || !text.parentElement?.checkVisibility({ visibilityProperty: true })) return;
    for (let box = parentOf(text); box && box !== document.body; box = parentOf(box)) {
      const { overflowX, overflowY } = getComputedStyle(box);
      const edge = box.getBoundingClientRect();
      if (overflowX !== 'visible' && edge.width < 2) return;
      const clips = (overflow) => overflow === 'hidden' || overflow === 'clip';
      const beyond = (clips(overflowX) && seen.right > edge.right + 1) || (clips(overflowY) && seen.bottom > edge.bottom + 2);
      if (beyond) return cut.push(text.data.trim());
      if (overflowX === 'auto' || overflowX === 'scroll') return;
    }
    if (seen.right > document.documentElement.clientWidth + 1) cut.push(text.data.trim());
  };
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE && node.data.trim() !== '') look(node);
    if (node instanceof HTMLScriptElement || node instanceof HTMLStyleElement) return;
    for (const child of [...(node.shadowRoot?.childNodes ?? []), ...node.childNodes]) walk(child);
  };
  walk(document.body);
  return cut;
})()`;

export async function cutTexts(page: FrameLocator): Promise<string[]> {
  const body = await page.locator('body').elementHandle();
  const frame = await body!.ownerFrame();
  return frame!.evaluate<string[]>(find);
}
