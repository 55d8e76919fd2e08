// Functions of one object that its prototype cannot share, and that nobody sees who looks at its data.

/** Gives `target` a property that is neither listed nor changed. */
export function hide(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value });
}
