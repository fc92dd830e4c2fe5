/** Runs `work` once before the next frame is drawn, however often it is asked for. */
export function beforeNextFrame(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
