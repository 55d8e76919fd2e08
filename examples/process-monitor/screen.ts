// The terminal while the table is live: alternate screen, hidden cursor, raw keys; and everything as before afterwards.
import ansiEscapes from 'ansi-escapes';

const QUIT_KEYS = ['q', 'Q', '\x03' /* Ctrl-C, which raw mode gives as a key */];

/** Shows what was there before, with its cursor. */
export const LEAVE_SCREEN = ansiEscapes.cursorShow + ansiEscapes.exitAlternativeScreen;

export class Screen {
  readonly #onQuit: () => void;
  readonly #onResize: () => void;
  readonly #leave = (): void => this.leave();
  #entered = false;
  #writing = false;

  /** Takes the terminal. `onQuit` is called when the user wants to end, `onResize` when there is another size to draw for. */
  constructor(onQuit: () => void, onResize: () => void) {
    this.#onQuit = onQuit;
    this.#onResize = onResize;
    // An error's text belongs on the screen that the user comes from.
    process.once('uncaughtExceptionMonitor', this.#leave);
    this.#entered = true;
    const { stdin, stdout } = process;
    stdin.setRawMode(true);
    stdin.on('data', this.#onKeys).once('end', this.#onQuit);
    stdout.on('resize', this.#onResize);
    stdout.write(ansiEscapes.enterAlternativeScreen + ansiEscapes.cursorHide);
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  /** Replaces what the screen shows. A terminal that is still busy with an earlier frame skips this one. */
  draw(lines: readonly string[]): void {
    if (this.#writing) return;
    const text = lines.map((line) => line + ansiEscapes.eraseEndLine).join('\r\n');
    const frame = ansiEscapes.cursorTo(0, 0) + text + ansiEscapes.eraseDown;
    this.#writing = true;
    process.stdout.write(ansiEscapes.synchronizedOutput(frame), () => (this.#writing = false));
  }

  /** Gives the terminal back. May be called again. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    const { stdin, stdout } = process;
    process.off('uncaughtExceptionMonitor', this.#leave);
    stdout.off('resize', this.#onResize);
    stdin.off('data', this.#onKeys).off('end', this.#onQuit).pause();
    stdout.write(LEAVE_SCREEN);
    // Without its parent this process may be in the background by now, where setting the mode would stop it (SIGTTOU,
    // termios(3)); Node restores the mode that it found when it ends.
    if (process.connected) stdin.setRawMode(false);
  }

  readonly #onKeys = (keys: Buffer): void => {
    if (QUIT_KEYS.some((key) => keys.includes(key))) this.#onQuit();
  };
}
