/** How many pixels one rem has now: it follows the window and the person's text size. */

class TextSize {
  remPx = $state(16);

  /** Call once when there is a document; the answer ends the watch. */
  watch(): () => void {
    const probe = document.createElement('div');
    probe.style.cssText = 'position: absolute; visibility: hidden; width: 1rem; height: 0';
    probe.setAttribute('aria-hidden', 'true');
    document.body.append(probe);
    const observer = new ResizeObserver(() => this.read());
    observer.observe(probe);
    this.read();
    return () => {
      observer.disconnect();
      probe.remove();
    };
  }

  private read(): void {
    this.remPx = parseFloat(getComputedStyle(document.documentElement).fontSize);
  }
}

export const textSize = new TextSize();
